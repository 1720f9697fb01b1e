import type { RecordBatch } from '../event-log.ts';
import type { Attempts } from './connection.ts';
import { pagesOf, type ReadSource } from './pages.ts';

interface Feed {
  readonly stopped: AbortController;
  isPaused: boolean;
  /** Lets a delivery go on that waits for `resume`. */
  goOn: (() => void) | undefined;
}

interface FeedCallbacks {
  readonly onBatch: (batch: RecordBatch) => void;
  readonly onTrouble: Attempts['onTrouble'];
  /** A feed has ended by an error, and delivers no more. */
  readonly onError: (error: unknown) => void;
}

/** Delivers the partitions that a member owns, each from its position on, in order, until it is stopped. */
export class Feeds {
  readonly #source: ReadSource;
  readonly #callbacks: FeedCallbacks;
  readonly #feeds = new Map<number, Feed>();
  /** Every delivery that has not ended yet, of stopped partitions too. */
  readonly #running = new Set<Promise<void>>();

  constructor(source: ReadSource, callbacks: FeedCallbacks) {
    this.#source = source;
    this.#callbacks = callbacks;
  }

  /** Makes a partition known, so that it can be paused before it is begun. */
  add(partitions: readonly number[]): void {
    for (const partition of partitions) {
      this.#feeds.set(partition, { stopped: new AbortController(), isPaused: false, goOn: undefined });
    }
  }

  /** Begins to deliver a partition that was added and not stopped since. */
  begin(partition: number, from: bigint): void {
    const feed = this.#feeds.get(partition);
    if (feed === undefined) return;
    const running = this.#deliver(feed, partition, from)
      .catch((error: unknown) => {
        if (!feed.stopped.signal.aborted) this.#callbacks.onError(error);
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Nothing of these partitions is delivered after it has returned. */
  stop(partitions: readonly number[]): void {
    for (const partition of partitions) {
      const feed = this.#feeds.get(partition);
      this.#feeds.delete(partition);
      feed?.stopped.abort();
      feed?.goOn?.();
    }
  }

  /** Stops all, and settles when nothing is fetched any more. */
  async close(): Promise<void> {
    this.stop([...this.#feeds.keys()]);
    await Promise.all(this.#running);
  }

  pause(partitions: readonly number[]): void {
    for (const partition of partitions) {
      const feed = this.#feeds.get(partition);
      if (feed !== undefined) feed.isPaused = true;
    }
  }

  resume(partitions: readonly number[]): void {
    for (const partition of partitions) {
      const feed = this.#feeds.get(partition);
      if (feed === undefined) continue;
      feed.isPaused = false;
      feed.goOn?.();
    }
  }

  async #deliver(feed: Feed, partition: number, from: bigint): Promise<void> {
    const { signal } = feed.stopped;
    const range = { partition, from, to: undefined };
    const attempts: Attempts = { patience: 'long', signal, onTrouble: this.#callbacks.onTrouble };
    for await (const page of pagesOf(this.#source, range, attempts)) {
      while (feed.isPaused && !signal.aborted) {
        await new Promise<void>((resolve) => {
          feed.goOn = resolve;
        });
      }
      feed.goOn = undefined;
      if (signal.aborted) return;
      this.#callbacks.onBatch(page);
    }
  }
}
