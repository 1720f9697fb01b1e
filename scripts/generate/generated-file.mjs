import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');

/**
 * Writes a generated, committed file; with `--check` on the command line compares instead, and fails naming the
 * command that mends it.
 * @param {string} file relative to the package's folder
 * @param {string} text
 * @param {string} command what writes the file
 */
export async function writeOrCheck(file, text, command) {
  const target = path.join(ROOT, file);
  if (!process.argv.includes('--check')) return writeFile(target, text);
  const committed = await readFile(target, 'utf8').catch(() => null);
  if (committed === text) return undefined;
  const what = committed === null ? 'is missing' : `is out of date: ${firstDifference(committed, text)}`;
  process.stderr.write(`${file} ${what}\nRun: ${command}\n`);
  process.exitCode = 1;
  return undefined;
}

/** @param {string} committed @param {string} generated */
function firstDifference(committed, generated) {
  const was = committed.split('\n');
  const is = generated.split('\n');
  const at = was.findIndex((line, index) => line !== is[index]);
  const line = at < 0 ? was.length : at;
  return `line ${line + 1} is ${JSON.stringify(was[line] ?? '')}, should be ${JSON.stringify(is[line] ?? '')}`;
}
