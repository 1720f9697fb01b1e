import { setTimeout as pause } from 'node:timers/promises';
import type { NewRecord } from '../src/domain/record.ts';
import type { EventLog } from '../src/log/event-log.ts';
import { Traffic, type OrderlyUser, type Sent } from './traffic.ts';

/** Records an append, and how long a producer rests after one: together some 400 events a second. */
const RECORDS = 40;
const REST_MS = 200;
const PRODUCERS = 2;

/** Producers with users of their own, each of which sends one append after the other. */
export class Producers {
  /** What was sent, by what it was. */
  readonly sent = new Map<string, number>();
  readonly #traffic: readonly Traffic[];
  readonly #openLog: () => EventLog;
  #logs: readonly EventLog[] = [];
  #runs: Promise<void> = Promise.resolve();
  #stopping = new AbortController();
  #replays: number[] = [];

  constructor(seed: number, openLog: () => EventLog) {
    this.#traffic = Array.from({ length: PRODUCERS }, (_, index) => new Traffic(seed, index));
    this.#openLog = openLog;
  }

  get orderly(): readonly OrderlyUser[] {
    return this.#traffic.flatMap(({ orderly }) => orderly);
  }

  /** Begins, or goes on, with new connections: they know the topic as it is now. */
  start(onError: (error: unknown) => void): void {
    this.#stopping = new AbortController();
    this.#logs = this.#traffic.map(() => this.#openLog());
    this.#runs = Promise.all(
      this.#traffic.map((traffic, index) => this.#run(traffic, this.#logs[index], this.#stopping.signal)),
    ).then(() => undefined, onError);
  }

  /** Resolves when what is under way is in the log and nothing more is sent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#runs;
    await Promise.all(this.#logs.map((log) => log.close()));
    this.#logs = [];
  }

  /** Sends the newest records once more, as one who reads a range of the topic and writes it again. */
  replay(records: number): void {
    this.#replays.push(records);
  }

  async #run(traffic: Traffic, log: EventLog | undefined, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && log !== undefined) {
      await this.#append(log, traffic.next(RECORDS));
      const replay = this.#replays.shift();
      if (replay !== undefined) {
        await this.#append(
          log,
          traffic.again(replay).map((record) => ({ record, what: 'replayed' })),
        );
      }
      await pause(REST_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #append(
    log: EventLog,
    sent: readonly (Sent | { record: NewRecord; what: 'replayed' })[],
  ): Promise<void> {
    await log.append(sent.map(({ record }) => record));
    for (const { what } of sent) this.sent.set(what, (this.sent.get(what) ?? 0) + 1);
  }
}
