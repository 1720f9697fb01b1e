import { execFile } from 'node:child_process';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { stateFile } from './paths.mjs';

const run = promisify(execFile);

/**
 * What is kept of an instance between two runs of the script.
 * @typedef {object} InstanceState
 * @property {string} name
 * @property {number | null} pid of the broker's JVM; null before its first start
 * @property {number | null} ownerPid the process whose end makes the instance an orphan; null: it is nobody's
 * @property {number} port
 * @property {number} controllerPort
 * @property {string} dataDir
 * @property {Readonly<Record<string, string>>} settings
 * @property {boolean} quick
 */

/** @param {string} name @returns {Promise<InstanceState | null>} */
export async function readState(name) {
  const text = await readFile(stateFile(name), 'utf8').catch(() => null);
  return text === null ? null : /** @type {InstanceState} */ (JSON.parse(text));
}

/** @param {InstanceState} state */
export async function writeState(state) {
  await mkdir(path.dirname(stateFile(state.name)), { recursive: true });
  await writeFile(stateFile(state.name), `${JSON.stringify(state, null, 2)}\n`);
}

/** @param {string} name */
export async function removeState(name) {
  await rm(stateFile(name), { force: true });
}

/** The states of all instances ever started and not removed. @returns {Promise<InstanceState[]>} */
export async function allStates() {
  const files = await readdir(path.dirname(stateFile('x'))).catch(() => []);
  const names = files.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length));
  const states = await Promise.all(names.map(readState));
  return states.filter((state) => state !== null);
}

/** True while this instance's own JVM runs: a reused process id does not count. @param {InstanceState} state */
export async function isRunning(state) {
  if (state.pid === null || !isAlive(state.pid)) return false;
  const command = await commandLine(state.pid);
  return command.includes('kafka.Kafka') && command.includes(state.dataDir);
}

/** @param {number} pid */
export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** @param {number} pid @returns {Promise<string>} '' when the process is gone */
async function commandLine(pid) {
  const fromProc = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => null);
  if (fromProc !== null) return fromProc;
  return run('ps', ['-o', 'command=', '-p', String(pid)]).then(
    ({ stdout }) => stdout,
    () => '',
  );
}
