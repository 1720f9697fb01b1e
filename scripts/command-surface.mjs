// command-surface.json: what scripts of users depend on (commands, arguments, flags, characters, environment), so that
// a change of it shows in review. Made from dist/; `--check` compares.
import path from 'node:path';
import { readManifest } from './build/manifest.mjs';
import { writeOrCheck } from './generate/generated-file.mjs';

const ROOT = path.resolve(import.meta.dirname, '..');

/** Leaves out what is absent, false or empty. @param {Record<string, unknown>} entries */
function present(entries) {
  const isEmpty = (/** @type {unknown} */ value) => Array.isArray(value) && value.length === 0;
  return Object.fromEntries(
    Object.entries(entries).filter(([, value]) => value !== undefined && value !== false && !isEmpty(value)),
  );
}

/**
 * @template T
 * @param {Record<string, T>} named
 * @param {(item: T) => unknown} map
 */
function mapSorted(named, map) {
  const sorted = Object.entries(named).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([name, item]) => [name, map(item)]));
}

/** @param {import('@oclif/core').Command.Flag.Cached} flag */
function flagSurface(flag) {
  const { char, type, env, aliases, required, hidden, exclusive, dependsOn } = flag;
  const { multiple, options } = flag.type === 'option' ? flag : { multiple: false, options: [] };
  return present({ char, type, env, aliases, required, hidden, multiple, options, exclusive, dependsOn });
}

const { commands } = await readManifest(ROOT);
const surface = mapSorted(commands, ({ aliases, hidden, args, flags }) =>
  present({
    aliases,
    hidden,
    // In the order given: arguments are known by their place.
    args: Object.values(args).map(({ name, required, options }) => present({ name, required, options })),
    flags: mapSorted(flags, flagSurface),
  }),
);

await writeOrCheck(
  'command-surface.json',
  `${JSON.stringify(surface, null, 2)}\n`,
  'npm run build && npm run surface',
);
