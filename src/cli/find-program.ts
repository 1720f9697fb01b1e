import { execFile } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';

/** A program that does not answer in this time is as good as absent, ms. */
const TIMEOUT_MS = 1500;
/** Java tells its version on stderr, by an option of one hyphen. */
const VERSION_OPTIONS = { java: '-version', mvn: '--version' } as const;

/** The first line of what a program says of its version; null where it is not there or does not run. */
export function findProgram(name: keyof typeof VERSION_OPTIONS): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(name, [VERSION_OPTIONS[name]], { timeout: TIMEOUT_MS }, (error, stdout, stderr) => {
      const [line = ''] = stripVTControlCharacters(`${stdout}${stderr}`).trim().split('\n');
      resolve(error === null && line !== '' ? line : null);
    });
  });
}
