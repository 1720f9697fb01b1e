import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const BIN = path.resolve(import.meta.dirname, '../bin/run.js');
/** As long as a supervisor would take, about. */
const RESTART_AFTER_MS = 300;
/** A drain that takes longer is told: a batch takes milliseconds, but a database that is away is waited for. */
const DRAIN_WITHIN_MS = 60_000;
const KEPT_STDERR = 4_000;

interface Member {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  /** What may end it: a signal that was sent, or its fault point. Anything else is a difference. */
  mayEndBy: 'SIGTERM' | 'SIGKILL' | null;
  isWanted: boolean;
}

/** The consumers of the group, kept running as a supervisor keeps them. */
export class Members {
  /** Ends that nobody had asked for: a consumer never dies of an event, nor of a fault that it can ride out. */
  readonly unasked: string[] = [];
  /** How often one ended at its fault point. */
  atPoint = 0;
  readonly #env: Readonly<Record<string, string>>;
  readonly #batchSize: () => number;
  readonly #slots: Member[] = [];
  #wanted = 0;
  #isOver = false;

  constructor(env: Readonly<Record<string, string>>, batchSize: () => number) {
    this.#env = env;
    this.#batchSize = batchSize;
  }

  /** Starts or stops consumers until there are so many. */
  async setCount(count: number): Promise<void> {
    this.#wanted = count;
    const leaving = this.#slots.splice(count);
    for (let slot = this.#slots.length; slot < count; slot++) this.#start(slot);
    await Promise.all(leaving.map((member) => this.#drain(member)));
  }

  /** Kills one; it is started again, `point` (`after-commit:3`) being where it then kills itself. */
  async kill(index: number, point?: string): Promise<void> {
    const slot = index % this.#wanted;
    const member = this.#slots[slot];
    if (member === undefined) return;
    member.isWanted = false;
    member.mayEndBy = 'SIGKILL';
    member.child.kill('SIGKILL');
    await member.ended;
    if (this.#slots[slot] === member) this.#start(slot, point);
  }

  /** Stops one in order; it is started again. */
  async restart(index: number): Promise<void> {
    const slot = index % this.#wanted;
    const member = this.#slots[slot];
    if (member === undefined) return;
    await this.#drain(member);
    if (this.#slots[slot] === member) this.#start(slot);
  }

  /** Holds one still for so long, and lets it go on. */
  async freeze(index: number, ms: number, signal: AbortSignal): Promise<void> {
    const member = this.#slots[index % this.#wanted];
    if (member === undefined) return;
    member.child.kill('SIGSTOP');
    await pause(ms, undefined, { signal }).catch(() => undefined);
    member.child.kill('SIGCONT');
  }

  /** Stops all in order. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.setCount(0);
  }

  /** Ends all, whatever they do. */
  async killAll(): Promise<void> {
    this.#isOver = true;
    for (const member of this.#slots) member.child.kill('SIGKILL');
    await Promise.all(this.#slots.map(({ ended }) => ended));
  }

  #start(slot: number, point?: string): void {
    if (this.#isOver || slot >= this.#wanted) return;
    const args = [BIN, 'consume', '--json', '--batch-size', String(this.#batchSize())];
    const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...this.#env };
    const child = spawn(process.execPath, args, {
      env: point === undefined ? env : { ...env, USER_EVENTS_FAULT_POINT: point },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-KEPT_STDERR);
    });
    const ended = new Promise<void>((resolve) => {
      child.on('close', (code, signal) => {
        resolve();
        this.#ended(slot, member, code, signal, point !== undefined, stderr);
      });
    });
    const member: Member = { child, ended, mayEndBy: null, isWanted: true };
    this.#slots[slot] = member;
  }

  #ended(
    slot: number,
    member: Member,
    code: number | null,
    signal: NodeJS.Signals | null,
    hasPoint: boolean,
    stderr: string,
  ): void {
    const isAtPoint = hasPoint && signal === 'SIGKILL' && member.isWanted;
    if (isAtPoint) this.atPoint++;
    // One that was just begun does not listen to signals yet, and has said nothing.
    const isTooEarly = signal === 'SIGTERM' && member.mayEndBy === 'SIGTERM' && stderr === '';
    const isAsked =
      signal === 'SIGKILL' ? member.mayEndBy === 'SIGKILL' : member.mayEndBy === 'SIGTERM' && code === 0;
    if (!isAtPoint && !isAsked && !isTooEarly && !(this.#isOver && signal === 'SIGKILL')) {
      this.unasked.push(
        `a consumer ended with ${String(code ?? signal)}: ${stderr.trim().split('\n').slice(-3).join(' | ')}`,
      );
    }
    if (!member.isWanted || this.#slots[slot] !== member) return;
    setTimeout(() => {
      if (this.#slots[slot] === member) this.#start(slot);
    }, RESTART_AFTER_MS);
  }

  async #drain(member: Member): Promise<void> {
    member.isWanted = false;
    member.mayEndBy ??= 'SIGTERM';
    // A signal waits for one that is stopped.
    member.child.kill('SIGCONT');
    member.child.kill('SIGTERM');
    const isLate = new AbortController();
    const late = pause(DRAIN_WITHIN_MS, 'late' as const, { signal: isLate.signal }).catch(() => null);
    if ((await Promise.race([member.ended, late])) === 'late') {
      this.unasked.push(`a consumer had not drained ${String(DRAIN_WITHIN_MS / 1000)} s after SIGTERM`);
      member.mayEndBy = 'SIGKILL';
      member.child.kill('SIGKILL');
      await member.ended;
    }
    isLate.abort();
  }
}
