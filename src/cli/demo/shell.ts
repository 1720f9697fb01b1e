import { spawn } from 'node:child_process';
import type { Environment } from '../../config/settings.ts';

/** What a command of the tour printed, and how it ended. */
export interface ShellResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  /** stdout and stderr as they came. */
  readonly output: string;
}

/** Runs this very program, as a person would, and gives back what it printed. `input` goes to its stdin. */
export function runOurselves(
  args: readonly string[],
  env: Environment,
  signal: AbortSignal,
  input = '',
): Promise<ShellResult> {
  return new Promise((resolve, reject) => {
    const program = process.argv[1] ?? '';
    const child = spawn(process.execPath, [...process.execArgv, program, ...args], { env, signal });
    let stdout = '';
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.once('error', reject);
    child.once('close', (exitCode) => {
      resolve({ exitCode, stdout, output });
    });
    // A child that ends without reading its input is no error of ours.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
