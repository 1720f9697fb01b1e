import { setTimeout as pause } from 'node:timers/promises';
import type { NewRecord } from '../src/domain/record.ts';
import type { EventLog } from '../src/log/event-log.ts';
import { Traffic, type OrderlyUser, type Sent } from './traffic.ts';
import { PARTITIONS } from './world.ts';

/** Records an append, and how long a producer rests after one: together some 400 events a second. */
const RECORDS = 40;
const REST_MS = 200;
const PRODUCERS = 2;
/** So far the consumers may be behind: on a busy machine, or killed again and again, they need not catch up in the end alone. */
const MOST_BEHIND = 6_000;

/** Producers with users of their own, each of which sends one append after the other. */
export class Producers {
  /** What was sent, by what it was. */
  readonly sent = new Map<string, number>();
  readonly #traffic: readonly Traffic[];
  readonly #openLog: () => EventLog;
  readonly #executed: () => Promise<number>;
  readonly #onError: (error: unknown) => void;
  #logs: readonly EventLog[] = [];
  #runs: Promise<void> = Promise.resolve();
  #stopping = new AbortController();
  #replays: { readonly records: number; readonly onSent: () => void }[] = [];

  /** `executed`: how many records the consumers have decided on. */
  constructor(
    seed: number,
    openLog: () => EventLog,
    executed: () => Promise<number>,
    onError: (error: unknown) => void,
  ) {
    this.#traffic = Array.from({ length: PRODUCERS }, (_, index) => new Traffic(seed, index, PARTITIONS));
    this.#openLog = openLog;
    this.#executed = executed;
    this.#onError = onError;
  }

  /** How many the topic has from now on. Nothing may be under way. */
  set partitions(count: number) {
    for (const traffic of this.#traffic) traffic.partitions = count;
  }

  get orderly(): readonly OrderlyUser[] {
    return this.#traffic.flatMap(({ orderly }) => orderly);
  }

  /** Begins, or goes on, with new connections: they know the topic as it is now. */
  start(): void {
    this.#stopping = new AbortController();
    this.#logs = this.#traffic.map(() => this.#openLog());
    this.#runs = Promise.all(
      this.#traffic.map((traffic, index) => this.#run(traffic, this.#logs[index], this.#stopping.signal)),
    ).then(() => undefined, this.#onError);
  }

  /** Resolves when what is under way is in the log and nothing more is sent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#runs;
    await Promise.all(this.#logs.map((log) => log.close()));
    this.#logs = [];
  }

  /** Sends the newest records once more, as one who reads a range of the topic and writes it again. Resolves when it is sent. */
  replay(records: number): Promise<true> {
    return new Promise((resolve) => {
      this.#replays.push({
        records,
        onSent: () => {
          resolve(true);
        },
      });
    });
  }

  /** Rolls users' events back, in the partition of their newest. Nothing else may be under way. Returns the events' ids. */
  async rollBack(log: EventLog, most: number): Promise<readonly string[]> {
    const rollbacks = this.#traffic.flatMap((traffic) => traffic.rollbacks(most / PRODUCERS));
    await this.#append(log, rollbacks);
    return rollbacks.map(({ eventId }) => eventId);
  }

  async #run(traffic: Traffic, log: EventLog | undefined, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && log !== undefined) {
      if (this.#total - (await this.#executed()) > MOST_BEHIND) {
        await pause(REST_MS, undefined, { signal }).catch(() => undefined);
        continue;
      }
      await this.#append(log, traffic.next(RECORDS));
      const replay = this.#replays.shift();
      if (replay !== undefined) {
        await this.#append(
          log,
          traffic.again(replay.records).map((record) => ({ record, what: 'replayed' })),
        );
        replay.onSent();
      }
      await pause(REST_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  get #total(): number {
    return [...this.sent.values()].reduce((a, b) => a + b, 0);
  }

  async #append(
    log: EventLog,
    sent: readonly (Sent | { record: NewRecord; what: 'replayed' })[],
  ): Promise<void> {
    await log.append(sent.map(({ record }) => record));
    for (const { what } of sent) this.sent.set(what, (this.sent.get(what) ?? 0) + 1);
  }
}
