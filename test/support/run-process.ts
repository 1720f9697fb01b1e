import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export interface ProcessOutcome {
  /** The exit code; null where a signal ended it. */
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningProcess {
  readonly child: ChildProcess;
  /** Resolves when stderr has this text. */
  readonly says: (text: string) => Promise<void>;
  readonly outcome: Promise<ProcessOutcome>;
}

/** A process that has not ended by then is killed, and its outcome has exit null: ms, unless another time is given. */
const TIMEOUT_MS = 20_000;

/**
 * Starts `node` on a TypeScript file, without a terminal and without this process's settings: of the environment it
 * has PATH, HOME and what is given.
 */
export function startProcess(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  timeoutMs = TIMEOUT_MS,
): RunningProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const outcome = once(child, 'close').then(() => ({ exit: child.exitCode, stdout, stderr }));
  const says = async (text: string): Promise<void> => {
    while (!stderr.includes(text)) {
      const next = await Promise.race([once(child.stderr, 'data'), outcome.then(() => null)]);
      if (next === null && !stderr.includes(text))
        throw new Error(`The process ended without saying ${text}: ${stderr}`);
    }
  };
  return { child, says, outcome };
}
