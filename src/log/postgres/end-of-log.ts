import { Alarm } from './alarm.ts';
import type { Arrivals } from './arrivals.ts';
import { withPatience, type LogConnection } from './connection.ts';
import { toLogError } from './errors.ts';
import { readWatermarks, type Topic } from './topic.ts';

/** Notifications come within milliseconds; where one is lost with its connection, the next poll finds what came. */
const POLL_MS = 500;

interface Waiter {
  readonly partition: number;
  readonly offset: bigint;
  readonly settle: (error?: Error) => void;
}

/** Where readers wait that have read everything: one question to the server for all of them. */
export class EndOfLog {
  readonly #log: LogConnection;
  readonly #topicId: number;
  readonly #arrivals: Arrivals;
  readonly #waiters = new Set<Waiter>();
  readonly #alarm = new Alarm();
  #watch: Promise<void> | undefined;

  constructor(log: LogConnection, { topicId }: Topic, arrivals: Arrivals) {
    this.#log = log;
    this.#topicId = topicId;
    this.#arrivals = arrivals;
  }

  /**
   * Settles when the partition's high watermark is above `offset`, or `signal` aborts. Rides out a log that is away.
   */
  waitAbove(partition: number, offset: bigint, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => {
        this.#waiters.delete(waiter);
        signal.removeEventListener('abort', onAbort);
        if (error === undefined) resolve();
        else reject(error);
      };
      const onAbort = (): void => {
        settle();
        this.#alarm.wake();
      };
      const waiter: Waiter = { partition, offset, settle };
      if (signal.aborted || this.#log.closed.aborted) {
        resolve();
        return;
      }
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
      this.#alarm.wake();
      this.#watch ??= this.#run().finally(() => {
        this.#watch = undefined;
      });
    });
  }

  /** Settles when nothing of it runs any more. */
  async stopped(): Promise<void> {
    await this.#watch;
  }

  async #run(): Promise<void> {
    const announced = `records ${String(this.#topicId)}`;
    const stopListening = this.#arrivals.listen((payload) => {
      if (payload === announced) this.#alarm.wake();
    });
    try {
      while (this.#waiters.size > 0 && !this.#log.closed.aborted) {
        await this.#alarm.wait(this.#log.closed, POLL_MS);
        if (this.#waiters.size > 0) await this.#look();
      }
      this.#settleAll();
    } catch (error) {
      this.#settleAll(toLogError(error, this.#log));
    } finally {
      stopListening();
    }
  }

  async #look(): Promise<void> {
    const { closed } = this.#log;
    const watermarks = await withPatience(this.#log, { patience: 'long', signal: closed }, () =>
      readWatermarks(this.#log, this.#topicId),
    );
    const highs = new Map(watermarks.map(({ partition, high }) => [partition, high]));
    for (const { partition, offset, settle } of this.#waiters) {
      if ((highs.get(partition) ?? 0n) > offset) settle();
    }
  }

  #settleAll(error?: Error): void {
    for (const { settle } of this.#waiters) settle(this.#log.closed.aborted ? undefined : error);
  }
}
