import { UserEventsError } from '../../errors/user-events-error.ts';
import type { RecordBatch, SubscribeOptions, Subscription } from '../event-log.ts';
import type { Arrivals } from './arrivals.ts';
import { topicReplaced } from '../../errors/topic-replaced.ts';
import { withPatience } from './connection.ts';
import { Feeds } from './feeds.ts';
import { commitOffsets } from './group.ts';
import { Member } from './member.ts';
import type { ReadSource } from './pages.ts';

interface Settle {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A member of a consumer group whose groups are tables: as the port's `Subscription` says. */
export class PostgresSubscription implements Subscription {
  readonly ended: Promise<void>;
  readonly #source: ReadSource;
  readonly #options: SubscribeOptions;
  readonly #feeds: Feeds;
  readonly #member: Member;
  readonly #settle: Settle;
  #isOver = false;
  #isTroubled = false;
  #leaving: Promise<void> | undefined;

  constructor(source: ReadSource, arrivals: Arrivals, options: SubscribeOptions, sessionTimeoutMs: number) {
    this.#source = source;
    this.#options = options;
    let settle: Settle = { resolve: () => undefined, reject: () => undefined };
    this.ended = new Promise<void>((resolve, reject) => (settle = { resolve, reject }));
    this.#settle = settle;
    // Whoever awaits `ended` sees the error; until then it is no unhandled rejection.
    this.ended.catch(() => undefined);
    const onTrouble = this.#tellTrouble.bind(this);
    const onError = this.#fail.bind(this);
    this.#feeds = new Feeds(source, { onBatch: this.#hand.bind(this), onTrouble, onError });
    const { group, owner = null } = options;
    const membership = { topicId: source.topic.topicId, group, sessionTimeoutMs, owner };
    this.#member = new Member(source.log, arrivals, membership, {
      onShare: (partitions) => options.onJoined?.(partitions),
      onGained: this.#begin.bind(this),
      onStop: (partitions) => {
        this.#feeds.stop(partitions);
      },
      onLost: (partitions) => options.onRevoked(partitions),
      onTrouble,
      onError,
    });
    this.#member.start();
  }

  pause(partitions: readonly number[]): void {
    this.#feeds.pause(partitions);
  }

  resume(partitions: readonly number[]): void {
    this.#feeds.resume(partitions);
  }

  /** Throws LOG_REFUSED where a partition is not this member's. */
  async commit(offsets: ReadonlyMap<number, bigint>, metadata: string): Promise<void> {
    const { log } = this.#source;
    const attempts = { patience: 'short' as const, signal: log.closed };
    const isDone = await withPatience(log, attempts, () =>
      commitOffsets(log, this.#member.membership, offsets, metadata),
    );
    if (isDone) return;
    const partitions = [...offsets.keys()].join(', ');
    throw new UserEventsError(
      'LOG_REFUSED',
      `Offsets of ${log.topic}[${partitions}] cannot be committed: not all of them are this member's`,
    );
  }

  close(): Promise<void> {
    this.#isOver = true;
    this.#leaving ??= this.#leave().then(() => {
      this.#settle.resolve();
    });
    return this.#leaving;
  }

  async #begin(partitions: readonly number[]): Promise<void> {
    this.#feeds.add(partitions);
    const offsets = await this.#options.onAssigned(partitions);
    const { log, topic } = this.#source;
    // Records are found by the topic's id: of another one none can come.
    const expected = this.#options.topicId?.() ?? String(topic.topicId);
    if (expected !== String(topic.topicId)) throw topicReplaced(log.topic);
    for (const partition of partitions) {
      const offset = offsets.get(partition);
      if (offset === undefined) {
        throw new TypeError(`onAssigned did not say where partition ${String(partition)} begins`);
      }
      if (this.#member.owns(partition)) this.#feeds.begin(partition, offset);
    }
  }

  #hand(batch: RecordBatch): void {
    if (!this.#isOver) this.#options.onBatch(batch);
  }

  #tellTrouble(trouble: { readonly message: string } | null): void {
    if (this.#isOver || (trouble === null && !this.#isTroubled)) return;
    this.#isTroubled = trouble !== null;
    this.#options.onTrouble?.(trouble);
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#settle.reject(error);
    this.#leaving = this.#leave();
  }

  async #leave(): Promise<void> {
    const stopped = this.#feeds.close();
    await this.#member.close();
    await stopped.catch(() => undefined);
  }
}
