import { setTimeout as delay } from 'node:timers/promises';

/** How often executed positions are committed to the log, for the lag tools: the truth is in PostgreSQL. */
const COMMIT_EVERY_MS = 500;
/** How long a commit at the end, or at a revocation, is waited for: with the log away there is no answer. */
const FLUSH_WITHIN_MS = 3_000;

/** Commits next offsets to the log; rejects when that fails. */
export type SendOffsets = (offsets: ReadonlyMap<number, bigint>) => Promise<void>;

/** What is executed and not yet committed to the log: one call at a time, best effort (I5). */
export class OffsetCommits {
  readonly #send: SendOffsets;
  readonly #uncommitted = new Map<number, bigint>();
  /** Partitions that are this member's. */
  readonly #own = new Set<number>();
  #underWay: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(send: SendOffsets) {
    this.#send = send;
  }

  /** Commits now and then from here on. */
  start(): void {
    this.#timer = setInterval(() => {
      if (this.#underWay === null) void this.#commit();
    }, COMMIT_EVERY_MS);
  }

  /** The partition is executed up to `offset`. */
  set(partition: number, offset: bigint): void {
    this.#own.add(partition);
    this.#uncommitted.set(partition, offset);
  }

  /** The partition is no longer this member's. */
  forget(partition: number): void {
    this.#own.delete(partition);
    this.#uncommitted.delete(partition);
  }

  /** Commits what is left, behind the call under way, and gives up soon where the log does not answer. */
  async flush(): Promise<void> {
    const done = new AbortController();
    const last = (this.#underWay ?? Promise.resolve()).then(() =>
      // Given up meanwhile: nothing more is begun.
      done.signal.aborted ? undefined : this.#commit(),
    );
    await Promise.race([last, delay(FLUSH_WITHIN_MS, undefined, { signal: done.signal })]).catch(
      () => undefined,
    );
    done.abort();
  }

  /** The same, for the last time. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.flush();
  }

  /** A failure is told by the next one, or by nobody. */
  #commit(): Promise<void> {
    this.#underWay ??= this.#sendAll().finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  async #sendAll(): Promise<void> {
    if (this.#uncommitted.size === 0) return;
    const offsets = new Map(this.#uncommitted);
    this.#uncommitted.clear();
    try {
      await this.#send(offsets);
    } catch {
      // Not lost: the position is the truth, and the next batch or assignment commits it again.
      for (const [partition, offset] of offsets) {
        if (!this.#uncommitted.has(partition) && this.#own.has(partition))
          this.#uncommitted.set(partition, offset);
      }
    }
  }
}
