import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { METAFILE } from '../../scripts/build/build.mjs';
import { BIN, runCli } from './cli.ts';

const ROOT = path.resolve(path.dirname(BIN), '..');
const PACKAGE = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//;

interface Coverage {
  readonly result: readonly { readonly url: string }[];
}

interface Bundle {
  readonly outputs: Readonly<Record<string, { readonly inputs: Readonly<Record<string, unknown>> }>>;
}

/**
 * The npm packages that a run of the built CLI loads, told by V8 itself (its coverage names every script), and for a file
 * of the bundle by what the build put into it.
 */
export async function loadedPackages(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ReadonlySet<string>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'loaded-'));
  try {
    await runCli(args, { env: { ...env, NODE_V8_COVERAGE: folder } });
    const files = await readdir(folder);
    const loaded = await Promise.all(files.map((file) => scriptsOf(path.join(folder, file))));
    const inputs = await inputsOf(loaded.flat());
    return new Set(inputs.flatMap((file) => PACKAGE.exec(file)?.[1] ?? []));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function scriptsOf(file: string): Promise<readonly string[]> {
  const { result } = JSON.parse(await readFile(file, 'utf8')) as Coverage;
  return result.flatMap(({ url }) => (url.startsWith('file:') ? [fileURLToPath(url)] : []));
}

/** Files of the bundle are what they were made from; others are themselves. */
async function inputsOf(scripts: readonly string[]): Promise<readonly string[]> {
  const { outputs } = JSON.parse(await readFile(METAFILE, 'utf8')) as Bundle;
  const made = new Map(
    Object.entries(outputs).map(([file, { inputs }]) => [
      file.replace(/^.*?\/dist-\d+\//, 'dist/'),
      Object.keys(inputs),
    ]),
  );
  return scripts.flatMap((script) => made.get(path.relative(ROOT, script)) ?? [script]);
}
