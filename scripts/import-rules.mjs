// `npm run lint:imports`: the import rules (.dependency-cruiser.cjs) and the names of files, over src/ of this package
// or of the folder given.
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PACKAGE = path.resolve(import.meta.dirname, '..');
const CRUISER = path.join(PACKAGE, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
const CONFIG = path.join(PACKAGE, '.dependency-cruiser.cjs');
/** A name says what is in it; these say "something". An index is a barrel. */
const EMPTY_NAMES = /(^|\/)(utils?|helpers?|common|shared|misc|managers?|types|index)(\/|\.ts$)/;
const LARGEST_OUTPUT = 64 * 1024 * 1024;

/**
 * @typedef {object} CruiseResult
 * @property {{source: string}[]} modules
 * @property {{violations: {from: string, to: string, rule: {name: string}, cycle?: {name: string}[]}[]}} summary
 */

/** @param {string} root @returns {Promise<CruiseResult>} */
async function cruise(root) {
  const args = [CRUISER, 'src', '--config', CONFIG, '--output-type', 'json'];
  const { stdout } = await run(process.execPath, args, { cwd: root, maxBuffer: LARGEST_OUTPUT });
  return JSON.parse(stdout);
}

/** @param {CruiseResult} result @returns {string[]} */
function breaches({ summary }) {
  return summary.violations.map(({ rule, from, to, cycle }) => {
    const others = cycle?.map(({ name }) => name).join(' → ');
    return `${rule.name}: ${from} → ${others ?? to}`;
  });
}

/** With another TypeScript than it knows, dependency-cruiser looks at nothing and finds all well. */
function unseenFiles(/** @type {CruiseResult} */ { modules }, /** @type {string[]} */ files) {
  const seen = new Set(modules.map(({ source }) => source));
  return files.filter((file) => !seen.has(file)).map((file) => `not-looked-at: ${file}`);
}

const root = path.resolve(process.argv[2] ?? PACKAGE);
const entries = await readdir(path.join(root, 'src'), { recursive: true });
const files = entries
  .filter((file) => file.endsWith('.ts'))
  .map((file) => `src/${file.split(path.sep).join('/')}`);
const result = await cruise(root);
const found = [
  ...breaches(result),
  ...unseenFiles(result, files),
  ...files.filter((file) => EMPTY_NAMES.test(file)).map((file) => `empty-name: ${file}`),
];
if (files.length === 0) found.push('not-looked-at: there is no file in src/');

if (found.length > 0) {
  process.stderr.write(
    `${found.toSorted().join('\n')}\n\nThe rules and their reasons: .dependency-cruiser.cjs\n`,
  );
  process.exitCode = 1;
} else {
  process.stderr.write(`Import rules: ${files.length} files in order\n`);
}
