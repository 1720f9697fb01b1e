import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** The width that the help is laid out for at build time; oclif's own where there is no terminal. */
const COLUMNS = 80;
/** What the built texts have where the machine that prints them belongs. */
export const MACHINE_MARK = '{machine}';
/** In the package. */
export const HELP_FOLDER = 'dist/help';
/** What `--version` prints. */
export const VERSION_FILE = 'version.txt';

/**
 * Answers `--version` and `--help` from what the build has written, before oclif is loaded: three times as soon. False
 * where it did not: another command, a command that is not known, a terminal narrower than 80 columns. `root` is the package's folder.
 */
export async function takeShortCut(argv: readonly string[], root: string): Promise<boolean> {
  const { env, stdout } = process;
  if (stdout.isTTY && stdout.columns < COLUMNS) return false;
  // These ask for another layout, or for colours where there is no terminal: oclif knows how.
  if (env['OCLIF_COLUMNS'] !== undefined || env['FORCE_COLOR'] !== undefined) return false;
  const text = await textOf(argv, root);
  if (text === null) return false;
  const hasColors = stdout.isTTY && stdout.hasColors();
  stdout.write(hasColors ? text : stripVTControlCharacters(text));
  return true;
}

async function textOf(argv: readonly string[], root: string): Promise<string | null> {
  const file = argv.length === 1 && argv[0] === '--version' ? VERSION_FILE : fileOfHelp(argv);
  if (file === null) return null;
  const { platform, arch, version } = process;
  const text = await readFile(path.join(root, HELP_FOLDER, file), 'utf8').catch(() => null);
  return text?.replace(MACHINE_MARK, `${platform}-${arch} node-${version}`) ?? null;
}

function fileOfHelp(argv: readonly string[]): string | null {
  const last = argv.at(-1);
  const words = argv.slice(0, -1);
  if (last !== undefined && last !== '--help' && last !== '-h') return null;
  return words.every((word) => /^[a-z]+$/.test(word)) ? helpFile(words) : null;
}

/** Where the help of a command is kept, of a topic, or of all (no words). */
export function helpFile(words: readonly string[]): string {
  return `${['help', ...words].join('-')}.txt`;
}
