import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { LOG4J_PROPERTIES, serverProperties } from './broker-settings.mjs';
import { isAlive } from './instance-state.mjs';
import { answeringCluster } from './probe.mjs';

const run = promisify(execFile);
/** A cold start takes 3 to 6 s on two cores; tests on a busy machine need room. */
const START_TIMEOUT_MS = 90_000;
/** A controlled stop takes about 1 s. */
const STOP_TIMEOUT_MS = 20_000;
const POLL_MS = 50;
const PROBE_TIMEOUT_MS = 1000;
// C1 alone halves the start-up time and is enough for tests; a bench asks for the full compiler.
const QUICK_JVM = ['-XX:TieredStopAtLevel=1'];
const JVM = ['-Xms256m', '-Xmx512m', '-XX:+UseSerialGC', '-Xshare:auto', '-Djava.awt.headless=true'];

/** The broker ended before it answered: the message has the tail of what it wrote. */
export class BrokerDiedError extends Error {
  /** @override */
  name = 'BrokerDiedError';
  /** @param {string} log */
  constructor(log) {
    super(`The Kafka broker ended before it answered:\n${log.split('\n').slice(-15).join('\n')}`);
  }
}

/**
 * @typedef {object} LaunchOptions
 * @property {string} classPath
 * @property {Readonly<Record<string, string>>} settings
 * @property {boolean} quick
 * @property {(pid: number) => Promise<void>} onSpawn
 */

/**
 * Writes the configuration, formats the storage unless it is formatted, starts the JVM in its own session and waits
 * until it answers. `onSpawn` is told the process id, before there is an answer.
 * @param {import('./broker-settings.mjs').BrokerAddress} address
 * @param {LaunchOptions} options
 * @throws {BrokerDiedError}
 */
export async function launchBroker(address, { classPath, settings, quick, onSpawn }) {
  const { dataDir } = address;
  await mkdir(dataDir, { recursive: true });
  const properties = `${dataDir}/server.properties`;
  const log4j = `${dataDir}/log4j2.properties`;
  await writeFile(properties, serverProperties(address, settings));
  await writeFile(log4j, LOG4J_PROPERTIES);
  const java = [...JVM, ...(quick ? QUICK_JVM : []), `-Dlog4j2.configurationFile=${log4j}`, '-cp', classPath];
  if (!existsSync(`${dataDir}/log/meta.properties`)) await formatStorage(java, properties);

  const logFile = `${dataDir}/broker.log`;
  const log = await open(logFile, 'w');
  const child = spawn('java', [...java, 'kafka.Kafka', properties], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  const exited = new Promise((resolve) => child.once('close', resolve));
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  await log.close();
  const pid = child.pid;
  if (pid === undefined) throw new Error('a spawned process has an id');
  child.unref();
  await onSpawn(pid);
  const clusterId = await formattedClusterId(dataDir);
  await untilItAnswers({ port: address.port, pid, exited, logFile, clusterId });
}

/** @param {readonly string[]} java @param {string} properties */
async function formatStorage(java, properties) {
  // `=`: a random id may begin with a dash.
  const clusterId = `--cluster-id=${randomBytes(16).toString('base64url')}`;
  await run('java', [
    ...java,
    'kafka.tools.StorageTool',
    'format',
    '--standalone',
    clusterId,
    '-c',
    properties,
  ]);
}

/** @param {string} dataDir @returns {Promise<string | undefined>} */
async function formattedClusterId(dataDir) {
  const meta = await readFile(`${dataDir}/log/meta.properties`, 'utf8');
  return /^cluster\.id=(.*)$/m.exec(meta)?.[1];
}

/**
 * Another broker may have taken the port meanwhile: only ours answers with our cluster's id.
 * @param {{port: number, pid: number, exited: Promise<unknown>, logFile: string, clusterId: string | undefined}} broker
 */
async function untilItAnswers({ port, pid, exited, logFile, clusterId }) {
  const deadline = Date.now() + START_TIMEOUT_MS;
  const end = new AbortController();
  void exited.then(() => end.abort());
  while ((await answeringCluster(port, PROBE_TIMEOUT_MS)) !== clusterId) {
    if (end.signal.aborted) throw new BrokerDiedError(await readFile(logFile, 'utf8'));
    if (Date.now() > deadline) {
      await endProcess(pid, 'SIGKILL');
      throw new BrokerDiedError(`no answer after ${START_TIMEOUT_MS} ms\n${await readFile(logFile, 'utf8')}`);
    }
    await pause(POLL_MS);
  }
}

/**
 * Ends a broker and waits until it is gone; one that does not heed SIGTERM is killed.
 * @param {number} pid @param {'SIGTERM' | 'SIGKILL'} signal
 */
export async function endProcess(pid, signal) {
  const deadline = Date.now() + STOP_TIMEOUT_MS;
  signalProcess(pid, signal);
  while (isAlive(pid)) {
    if (Date.now() > deadline) signalProcess(pid, 'SIGKILL');
    await pause(POLL_MS);
  }
}

/** @param {number} pid @param {NodeJS.Signals} signal */
function signalProcess(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone, which is what the caller waits for.
  }
}
