import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Stage } from './stage.ts';

const BIN = path.resolve(import.meta.dirname, '../../bin/run.js');
/** How often a process is asked what it takes; its peak is kept by the kernel. */
const LOOK_MS = 50;
/** Clock ticks a second of /proc (sysconf _SC_CLK_TCK: 100 on every Linux port). */
const TICKS = 100;

/** What a process has taken; null where there is no /proc. */
export interface Usage {
  readonly peakRssBytes: number | null;
  readonly cpuMs: number | null;
}

export interface CommandRun extends Usage {
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
function startCommand(
  stage: Stage,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  options: CommandOptions = {},
): RunningCommand {
  return startNode(stage, [...(options.nodeOptions ?? []), BIN, ...args], env, options);
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
  let usage: Usage = { peakRssBytes: null, cpuMs: null };
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
        resolve({ exitCode, stdout: output.stdout, spawnedMs, ...usage });
      } else reject(new Error(`${argv.join(' ')} ended with ${String(exitCode)}:\n${output.stderr}`));
    });
  });
  // Whoever awaits it sees the error; until then it is no unhandled rejection.
  ended.catch(() => undefined);
  return { pid, spawnedMs, told: () => output.stderr, stop: end, ended };
}

async function usageOf(pid: number): Promise<Usage | null> {
  try {
    const status = await readFile(`/proc/${String(pid)}/status`, 'utf8');
    const peak = /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1];
    const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8');
    // Fields 14 and 15 (utime, stime), counted behind the name, which may hold anything.
    const [user, system] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13)
      .map(Number);
    return {
      peakRssBytes: peak === undefined ? null : Number(peak) * 1024,
      cpuMs: user === undefined || system === undefined ? null : ((user + system) * 1000) / TICKS,
    };
  } catch {
    return null;
  }
}
