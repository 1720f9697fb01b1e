import { execFile } from 'node:child_process';
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { bundle } from './bundle.mjs';
import { writeManifest } from './manifest.mjs';

const run = promisify(execFile);
const ROOT = path.resolve(import.meta.dirname, '../..');
const DIST = path.join(ROOT, 'dist');
const MANIFEST = path.join(ROOT, 'oclif.manifest.json');
const CACHE = path.join(ROOT, 'node_modules/.cache/user-events');
/** What a build is made from; the lock file stands for the packages that are bundled. */
const SOURCES = [
  'src',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'scripts/build',
];

/** esbuild's record of what went into which file of dist/, for the test of what a command loads. */
export const METAFILE = path.join(CACHE, 'bundle.json');

/** tsc refused the sources: the message is what it printed. */
export class CompileError extends Error {
  /** @override */
  name = 'CompileError';
}

/** Checks the types of src/, builds dist/ and oclif.manifest.json anew. @throws {CompileError} */
export async function build() {
  const startedAt = new Date();
  await compile();
  await writeManifest(ROOT, MANIFEST);
  await writeHelp();
  // The manifest's time says which sources are in the build; one saved while tsc ran may not be.
  await utimes(MANIFEST, startedAt, startedAt);
}

/** Builds unless the last build is newer than every source. Returns whether it built. @throws {CompileError} */
export async function buildIfStale() {
  const builtAt = await stat(MANIFEST).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  const changedAt = Math.max(
    ...(await Promise.all(SOURCES.map((source) => newestMtime(path.join(ROOT, source))))),
  );
  const isDistThere = await stat(DIST).then(
    () => true,
    () => false,
  );
  if (isDistThere && changedAt < builtAt) return false;
  await build();
  return true;
}

/**
 * Compiles aside and moves the result into place, so that whoever runs the CLI from dist/ at this moment never sees
 * half a build, nor files whose source is gone.
 */
async function compile() {
  const fresh = path.join(CACHE, `dist-${process.pid}`);
  const old = path.join(CACHE, `old-${process.pid}`);
  await mkdir(CACHE, { recursive: true });
  try {
    await checkTypes();
    const metafile = await bundle(ROOT, fresh);
    await rename(DIST, old).catch(ignore('ENOENT'));
    // Another build may have been put there between the two renames: it is of the same sources.
    await rename(fresh, DIST).catch(ignore('ENOTEMPTY', 'EEXIST'));
    await writeFile(METAFILE, JSON.stringify(metafile));
  } finally {
    await Promise.all([fresh, old].map((folder) => rm(folder, { recursive: true, force: true })));
  }
}

/** See help.mjs. */
async function writeHelp() {
  const env = { ...process.env, FORCE_COLOR: '1' };
  await run(process.execPath, [path.join(import.meta.dirname, 'help.mjs'), ROOT], { env });
}

/** @throws {CompileError} */
async function checkTypes() {
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  await run(process.execPath, [tsc, '-p', path.join(ROOT, 'tsconfig.build.json')]).catch(
    (/** @type {unknown} */ error) => {
      const printed = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
      throw printed === '' ? error : new CompileError(printed);
    },
  );
}

/** @param {string[]} codes @returns {(error: unknown) => void} */
function ignore(...codes) {
  return (error) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!codes.includes(code)) throw error;
  };
}

/** The newest modification below `entry`, folders included: deleting a file changes its folder. @param {string} entry */
async function newestMtime(entry) {
  const { mtimeMs } = await stat(entry);
  const below = await readdir(entry, { recursive: true }).catch(() => []);
  const times = await Promise.all(below.map((file) => stat(path.join(entry, file))));
  return Math.max(mtimeMs, ...times.map((file) => file.mtimeMs));
}
