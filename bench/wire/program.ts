import { spawn } from 'node:child_process';
import type { Stage } from '../frame/stage.ts';

export interface ProgramRun {
  /** From its start to its end. */
  readonly elapsedMs: number;
  /** Empty unless it was kept. */
  readonly stdout: string;
}

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Keep what it writes to stdout; else that goes to /dev/null, where writing is free for all alike. */
  readonly keepsStdout?: boolean;
}

/** Runs any program to its end, timed. Throws what it said where it fails. */
export function runProgram(
  stage: Stage,
  program: string,
  args: readonly string[],
  { env = {}, keepsStdout = false }: ProgramOptions = {},
): Promise<ProgramRun> {
  stage.signal.throwIfAborted();
  const startedMs = performance.now();
  const child = spawn(program, args, {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', keepsStdout ? 'pipe' : 'ignore', 'pipe'],
    signal: stage.signal,
  });
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => {
      const elapsedMs = performance.now() - startedMs;
      if (exitCode === 0) resolve({ elapsedMs, stdout: output.stdout });
      else
        reject(new Error(`${program} ${args.join(' ')} ended with ${String(exitCode)}:\n${output.stderr}`));
    });
  });
}

/** Whether a program is there, asked by an option that makes it say its version. */
export async function isInstalled(stage: Stage, program: string, versionOption: string): Promise<boolean> {
  try {
    await runProgram(stage, program, [versionOption]);
    return true;
  } catch {
    stage.signal.throwIfAborted();
    return false;
  }
}
