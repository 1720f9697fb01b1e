import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const BIN = path.resolve(import.meta.dirname, '../bin/run.js');
const SAY_LISTENING = path.resolve(import.meta.dirname, 'say-listening.mjs');
/** A drain that takes longer is told: a batch takes milliseconds, but a database that is away is waited for. */
const DRAIN_WITHIN_MS = 60_000;
/** To be given partitions, or to pass a point so many times; other faults keep it from that. */
const WORKS_WITHIN_MS = 60_000;
const POLL_MS = 50;
const KEPT_STDERR = 4_000;

export interface ConsumerOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly batchSize: number;
  /** Where it kills itself (src/cli/fault-points.ts). */
  readonly point: string | undefined;
  /** What it says is kept there. */
  readonly logFile: string;
}

/** One consumer: a process of the built CLI, as a supervisor runs it. */
export class Consumer {
  /** Null where its end was asked for; else what was wrong with it. */
  readonly ended: Promise<string | null>;
  readonly #child: ChildProcess;
  readonly #point: string | undefined;
  #stderr = '';
  #isListening = false;
  #isWorking = false;
  #hasEnded = false;
  #isAtPoint = false;
  /** What may end it, besides its point. Anything else is a difference. */
  #mayEndBy: 'SIGTERM' | 'SIGKILL' | null = null;

  constructor({ env, batchSize, point, logFile }: ConsumerOptions) {
    this.#point = point;
    const args = ['--import', SAY_LISTENING, BIN, 'consume', '--json', '--batch-size', String(batchSize)];
    const own = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env };
    const child = spawn(process.execPath, args, {
      env: point === undefined ? own : { ...own, USER_EVENTS_FAULT_POINT: point },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    const log = createWriteStream(logFile);
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log.write(text.replaceAll(/^(?=.)/gm, `${new Date().toISOString()} `));
      this.#isListening = true;
      this.#stderr = (this.#stderr + text).slice(-KEPT_STDERR);
      this.#isWorking ||= this.#stderr.includes('Assigned partitions');
    });
    this.ended = new Promise((resolve) => {
      child.on('close', (code, signal) => {
        this.#hasEnded = true;
        log.end(`ended with ${String(code ?? signal)}\n`);
        resolve(this.#differenceOf(code, signal));
      });
    });
  }

  /** Resolves when it was given partitions, when it has ended, or when that takes too long. */
  async works(): Promise<void> {
    await this.#until(() => this.#isWorking, WORKS_WITHIN_MS);
  }

  /** Whether it ends at its point. */
  async reachesPoint(): Promise<boolean> {
    await this.#until(() => false, WORKS_WITHIN_MS);
    return this.#isAtPoint;
  }

  /** SIGKILL. False: it had ended before. */
  async kill(): Promise<boolean> {
    if (this.#hasEnded) return false;
    this.#mayEndBy = 'SIGKILL';
    this.#child.kill('SIGKILL');
    await this.ended;
    return !this.#isAtPoint;
  }

  /** SIGTERM: it finishes its batch and leaves. False: it had ended before, or did not. */
  async drain(): Promise<boolean> {
    if (await this.#until(() => this.#isListening, WORKS_WITHIN_MS)) return false;
    this.#mayEndBy = 'SIGTERM';
    this.#child.kill('SIGTERM');
    if (await this.#until(() => false, DRAIN_WITHIN_MS)) return !this.#isAtPoint;
    this.#mayEndBy = null;
    this.#stderr += `\nnot drained ${String(DRAIN_WITHIN_MS / 1000)} s after SIGTERM`;
    this.#child.kill('SIGKILL');
    await this.ended;
    return false;
  }

  /** SIGSTOP, SIGCONT when `wait` has resolved. False: it has ended meanwhile. */
  async freeze(wait: () => Promise<unknown>): Promise<boolean> {
    if (!this.#child.kill('SIGSTOP')) return false;
    await wait();
    return this.#child.kill('SIGCONT') && !this.#hasEnded;
  }

  #differenceOf(code: number | null, signal: NodeJS.Signals | null): string | null {
    this.#isAtPoint = this.#point !== undefined && signal === 'SIGKILL' && this.#mayEndBy !== 'SIGKILL';
    if (this.#isAtPoint) return null;
    const isAsked =
      signal === 'SIGKILL' ? this.#mayEndBy === 'SIGKILL' : this.#mayEndBy === 'SIGTERM' && code === 0;
    if (isAsked) return null;
    const said = this.#stderr.trim().split('\n').slice(-3).join(' | ');
    return `consumer ${String(this.#child.pid)} ended with ${String(code ?? signal)}: ${said}`;
  }

  /** Waits for the condition or the end of the process. Returns whether it has ended. */
  async #until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while (!this.#hasEnded && !condition() && performance.now() < deadline) await pause(POLL_MS);
    return this.#hasEnded;
  }
}
