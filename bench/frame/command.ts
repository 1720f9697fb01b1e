import { spawn } from 'node:child_process';
import path from 'node:path';
import { usageOf, type Usage } from './process-usage.ts';
import type { Stage } from './stage.ts';

/** The built CLI, for node. */
export const CLI = path.resolve(import.meta.dirname, '../../bin/run.js');
/** How often a process is asked what it takes; its peak is kept by the kernel. */
const LOOK_MS = 50;
export interface CommandRun {
  /** What it took, as seen shortly before its end; null where there is no /proc. */
  readonly usage: Usage | null;
  readonly exitCode: number | null;
  readonly stdout: string;
  /** ms since the epoch. */
  readonly spawnedMs: number;
}

export interface CommandOptions {
  /** Cores to run on, as taskset takes them; without it any. */
  readonly cores?: string;
  /** Exit codes that are no failure of the bench: 0 unless said. */
  readonly exits?: readonly number[];
  /** Options of node itself. */
  readonly nodeOptions?: readonly string[];
}

/** A command under way. */
export interface RunningCommand {
  readonly pid: number;
  readonly spawnedMs: number;
  /** What it wrote to stderr so far. */
  readonly told: () => string;
  stop(): void;
  readonly ended: Promise<CommandRun>;
}

/** Starts a command of the built CLI, as its user does. It is ended with the bench. */
export function startCommand(
  stage: Stage,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  options: CommandOptions = {},
): RunningCommand {
  return startNode(stage, [...(options.nodeOptions ?? []), CLI, ...args], env, options);
}

/** Runs a command of the built CLI to its end. Throws what it said where it ended otherwise than expected. */
export function runCommand(
  stage: Stage,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  options: CommandOptions = {},
): Promise<CommandRun> {
  return startCommand(stage, args, env, options).ended;
}

/** Starts node on a script, watched like a command. */
export function startNode(
  stage: Stage,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  { cores, exits = [0] }: CommandOptions = {},
): RunningCommand {
  stage.signal.throwIfAborted();
  const node = [process.execPath, ...argv];
  const [program = process.execPath, ...args] =
    cores === undefined ? node : ['taskset', '-c', cores, ...node];
  const spawnedMs = performance.timeOrigin + performance.now();
  const child = spawn(program, args, {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const pid = child.pid ?? 0;
  let usage: Usage | null = null;
  const look = setInterval(() => void usageOf(pid).then((seen) => (usage = seen ?? usage)), LOOK_MS);
  const end = (): void => void child.kill('SIGTERM');
  stage.signal.addEventListener('abort', end);
  const ended = new Promise<CommandRun>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => {
      clearInterval(look);
      stage.signal.removeEventListener('abort', end);
      if (stage.signal.aborted) reject(new Error('interrupted'));
      else if (exitCode !== null && exits.includes(exitCode)) {
        resolve({ exitCode, stdout: output.stdout, spawnedMs, usage });
      } else reject(new Error(`${argv.join(' ')} ended with ${String(exitCode)}:\n${output.stderr}`));
    });
  });
  // Whoever awaits it sees the error; until then it is no unhandled rejection.
  ended.catch(() => undefined);
  return { pid, spawnedMs, told: () => output.stderr, stop: end, ended };
}
