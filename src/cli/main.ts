import { Errors, run } from '@oclif/core';
import { tellError } from './error-report.ts';

/**
 * The edge of the process: runs the command that `argv` names, from the package at `root`, and ends the process with
 * its exit code.
 */
export async function main(argv: string[], root: string): Promise<never> {
  try {
    await run(argv, root);
  } catch (error) {
    // Only what goes wrong before a command runs gets here: an unknown command, a module that does not load.
    process.exitCode =
      error instanceof Errors.ExitError
        ? (error.oclif.exit ?? 0)
        : tellError(error, '', argv.includes('--json'));
  }
  return endProcess();
}

/**
 * Ends the process with `process.exitCode`, when all that was written has left it. It would not end by itself: kafkajs
 * leaves timers behind.
 */
export async function endProcess(): Promise<never> {
  await Promise.all([drain(process.stdout), drain(process.stderr)]);
  process.exit();
}

function drain(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}
