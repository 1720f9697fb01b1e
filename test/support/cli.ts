import { spawn } from 'node:child_process';
import { chmod, mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { afterAll } from '@jest/globals';
import { waitFor } from './wait-for.ts';

/** The built CLI. */
export const BIN = path.resolve(import.meta.dirname, '../../bin/run.js');
const DEFAULT_TIMEOUT_MS = 30_000;

export interface CliOptions {
  /** The environment of the CLI: nothing of the tests' own gets in but PATH. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What is piped into stdin; without it stdin is empty. Never a terminal. */
  readonly input?: string;
  /** After this many ms the process is killed and the call fails. */
  readonly timeoutMs?: number;
  /** A new empty folder when left out. */
  readonly cwd?: string;
}

export interface CliResult {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** From spawn to exit. */
  readonly durationMs: number;
}

/** A CLI process that runs. */
export interface RunningCli {
  readonly pid: number;
  /** What it has written so far. */
  readonly output: Readonly<Record<'stdout' | 'stderr', string>>;
  /** Resolves with the match when the output has it; fails when the process ends without, or after `timeoutMs`. */
  waitForOutput(pattern: RegExp, options?: WaitForOutput): Promise<RegExpExecArray>;
  kill(signal: NodeJS.Signals): void;
  write(input: string): void;
  endInput(): void;
  /** Settles when the process has ended and its output is read; never rejects. */
  readonly ended: Promise<CliResult>;
}

export interface WaitForOutput {
  readonly stream?: 'stdout' | 'stderr';
  readonly timeoutMs?: number;
}

const running = new Set<RunningCli>();

// Whatever a failed test left behind must not disturb the next file's.
afterAll(async () => {
  for (const cli of running) cli.kill('SIGKILL');
  await Promise.all([...running].map((cli) => cli.ended));
});

/** Runs the built CLI to its end. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const cli = await spawnCli(args, options);
  if (options.input !== undefined) cli.write(options.input);
  cli.endInput();
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const timeout = AbortSignal.timeout(timeoutMs);
  timeout.addEventListener('abort', () => cli.kill('SIGKILL'));
  const result = await cli.ended;
  if (timeout.aborted) throw new Error(`${describeRun(args, result)}\nstill ran after ${timeoutMs} ms`);
  return result;
}

/** Starts the built CLI with stdin open. It is killed at the end of the test file if it still runs then. */
export async function spawnCli(args: readonly string[], options: CliOptions = {}): Promise<RunningCli> {
  const home = await emptyFolder();
  const startedAt = performance.now();
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd: options.cwd ?? home,
    env: { ...baseEnvironment(home), ...options.env },
    stdio: 'pipe',
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  // A CLI that ends without reading its input breaks the pipe: its exit code is what counts.
  child.stdin.on('error', () => undefined);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${process.execPath} could not be started`);

  const ended = new Promise<CliResult>((resolve) => {
    child.on('close', (exitCode, signal) => {
      running.delete(cli);
      resolve({ exitCode, signal, ...output, durationMs: performance.now() - startedAt });
    });
  });
  const cli: RunningCli = {
    pid,
    output,
    ended,
    kill: (signal) => void child.kill(signal),
    write: (input) => void child.stdin.write(input),
    endInput: () => void child.stdin.end(),
    waitForOutput: (pattern, { stream = 'stdout', timeoutMs = DEFAULT_TIMEOUT_MS } = {}) =>
      untilMatch({ pattern, stream, timeoutMs, cli, args }),
  };
  running.add(cli);
  return cli;
}

interface MatchOptions extends Required<WaitForOutput> {
  readonly pattern: RegExp;
  readonly cli: RunningCli;
  readonly args: readonly string[];
}

async function untilMatch({ pattern, stream, timeoutMs, cli, args }: MatchOptions): Promise<RegExpExecArray> {
  let result: CliResult | undefined;
  void cli.ended.then((ended) => (result = ended));
  const found = await waitFor(
    () => {
      const match = new RegExp(pattern, pattern.flags.replace('g', '')).exec(cli.output[stream]);
      // Ended: nothing more will come, there is nothing to wait for.
      return match === null && result === undefined ? undefined : { match };
    },
    { timeoutMs, describe: () => `${String(pattern)} on ${stream}\n${describeRun(args, cli.output)}` },
  );
  if (found.match !== null) return found.match;
  throw new Error(
    `ended without ${String(pattern)} on ${stream}\n${describeRun(args, result ?? cli.output)}`,
  );
}

function describeRun(args: readonly string[], output: { stdout: string; stderr: string }): string {
  return `user-events ${args.join(' ')}\n--- stdout\n${output.stdout}\n--- stderr\n${output.stderr}`;
}

/** The developer's own settings, profiles and embedded engine are out of reach. */
function baseEnvironment(home: string): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home };
}

/** Below the run's folder, which is removed at the end of the run. */
export async function emptyFolder(): Promise<string> {
  const runDir = process.env['TEST_RUN_DIR'];
  if (runDir === undefined)
    throw new Error('TEST_RUN_DIR is not set: this jest project has no global set-up');
  const folder = await mkdtemp(path.join(runDir, 'cli-'));
  // An embedded PostgreSQL in it may be another account (run by root).
  await chmod(folder, 0o711);
  return folder;
}
