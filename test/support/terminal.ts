import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, describe } from '@jest/globals';
import { BIN, emptyFolder } from './cli.ts';
import { waitFor } from './wait-for.ts';

/** A CLI at a terminal of its own: a pseudo-terminal that `script` of util-linux makes. */
export interface Terminal {
  /** What the terminal shows by now: all that was written to it, without control sequences. */
  readonly screen: () => string;
  /** Resolves when the screen has this, since the last time that something was typed. */
  readonly sees: (pattern: RegExp) => Promise<void>;
  readonly type: (keys: string) => void;
  /** The exit code. */
  readonly ended: Promise<number | null>;
}

export const KEYS = { enter: '\r', down: '\u001b[B', escape: '\u001b', ctrlC: '\u0003' } as const;

/** A `describe` whose tests need a terminal: skipped, and named so, where `script` of util-linux is not there. */
export const describeTerminal = hasScript() ? describe : describe.skip;

function hasScript(): boolean {
  try {
    return execFileSync('script', ['--version'], { encoding: 'utf8' }).includes('util-linux');
  } catch {
    // Not installed, or another system's `script`, which knows no --version.
    return false;
  }
}

const open = new Set<ChildProcess>();

// What a failed test left behind must not keep the run open.
afterAll(() => {
  for (const child of open) child.kill('SIGKILL');
});

/** How long a question may take to come: the start of the CLI on a busy machine, ms. */
const PATIENCE_MS = 30_000;

/** Starts the built CLI at a terminal. It is killed when it has not ended after `PATIENCE_MS` of silence. */
export async function openTerminal(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Terminal> {
  const home = await emptyFolder();
  const quoted = [process.execPath, BIN, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  const child = spawn(
    'script',
    [
      '--quiet',
      '--return',
      '--flush',
      '--command',
      `stty cols 120 rows 40; exec ${quoted.join(' ')}`,
      '/dev/null',
    ],
    {
      cwd: home,
      env: {
        PATH: process.env['PATH'],
        HOME: home,
        XDG_DATA_HOME: home,
        TERM: 'xterm',
        NO_COLOR: '1',
        SHELL: '/bin/sh',
        ...env,
      },
      stdio: 'pipe',
      timeout: 2 * PATIENCE_MS,
      killSignal: 'SIGKILL',
    },
  );
  open.add(child);
  let written = '';
  let seenFrom = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => (written += text));
  child.stdin.on('error', () => undefined);
  const screen = (): string => stripVTControlCharacters(written);
  return {
    screen,
    sees: async (pattern) => {
      await waitFor(() => pattern.test(screen().slice(seenFrom)), {
        timeoutMs: PATIENCE_MS,
        describe: () => `${String(pattern)} on the terminal:\n${screen()}`,
      });
    },
    type: (keys) => {
      seenFrom = screen().length;
      child.stdin.write(keys);
    },
    ended: new Promise((resolve) => {
      child.on('close', (code) => {
        open.delete(child);
        resolve(code);
      });
    }),
  };
}
