import { UserEventsError } from '../../errors/user-events-error.ts';
import type { RecordBatch, SubscribeOptions, Subscription } from '../event-log.ts';
import { topicReplaced } from '../../errors/topic-replaced.ts';
import type { KafkaAdmin } from './admin.ts';
import { Assignment } from './assignment.ts';
import type { CarriedBatch } from './carried-batch.ts';
import type { Destination } from './errors.ts';
import { GroupConsumer } from './group-consumer.ts';
import { LogWatch } from './log-watch.ts';
import { outOfRange } from './out-of-range.ts';
import { withDeadline } from './patience.ts';
import type { KafkaBroker } from './private-api.ts';
import type { KafkaSettings } from './settings.ts';
import { readTopicId } from './topic-id.ts';

export interface SubscribedLog {
  readonly settings: KafkaSettings;
  readonly to: Destination;
  readonly admin: KafkaAdmin;
}

/** How long a callback under way may hold up `close`: it may be the one that closes. */
const CALLBACKS_MS = 3_000;

/** Joins the group. Resolves before the first assignment; throws TOPIC_NOT_FOUND at once where there is no topic. */
export async function subscribe(log: SubscribedLog, options: SubscribeOptions): Promise<Subscription> {
  const partitionCount = await log.admin.partitionCount({ onTrouble: options.onTrouble });
  return new GroupMember(log, options, partitionCount);
}

class GroupMember implements Subscription {
  readonly ended: Promise<void>;
  readonly #log: SubscribedLog;
  readonly #options: SubscribeOptions;
  readonly #consumer: GroupConsumer;
  readonly #watch: LogWatch;
  #settle: { resolve(): void; reject(error: unknown): void } | undefined;
  #assignment: Assignment | undefined;
  /** The caller's callbacks, one after the other. */
  #callbacks: Promise<void> = Promise.resolve();
  #isOver = false;
  #closing: Promise<void> | undefined;

  constructor(log: SubscribedLog, options: SubscribeOptions, partitionCount: number) {
    this.#log = log;
    this.#options = options;
    this.ended = new Promise<void>((resolve, reject) => (this.#settle = { resolve, reject }));
    // Whoever awaits `ended` sees the error; until then it is no unhandled rejection.
    this.ended.catch(() => undefined);
    const onEnd = (error: unknown) => {
      this.#fail(error);
    };
    const { admin, to, settings } = log;
    this.#watch = new LogWatch({ admin, to, onEnd, onTrouble: (trouble) => options.onTrouble?.(trouble) });
    const heard = () => {
      this.#watch.heard();
    };
    this.#consumer = new GroupConsumer(settings, to, options, partitionCount, {
      onEnd,
      onAnswer: heard,
      isOurs: (broker) => this.#isOurs(broker),
      onHeartbeat: heard,
      onJoined: (partitions) => {
        this.#joined(partitions);
      },
      onLost: () => {
        this.#revoke();
      },
      onCarried: (carried) => this.#deliver(carried),
      onNothingNew: (batch) => {
        this.#tellEnd(batch);
      },
      onUnreadable: (partition, fetchOffset, error) => {
        this.#unreadable(partition, fetchOffset, error);
      },
      onOutOfRange: (partition, fetchOffset, error) => {
        this.#outOfRange(partition, fetchOffset, error);
      },
    });
    this.#watch.start();
    this.#consumer.start();
  }

  pause(partitions: readonly number[]): void {
    for (const partition of partitions) this.#assignment?.pause(partition);
    this.#consumer.pause(partitions);
  }

  resume(partitions: readonly number[]): void {
    this.#consumer.resume(partitions.filter((partition) => this.#assignment?.resume(partition)));
  }

  commit(offsets: ReadonlyMap<number, bigint>, metadata: string): Promise<void> {
    if (!this.#isOver && this.#assignment !== undefined) return this.#consumer.commit(offsets, metadata);
    const message = `Nothing can be committed: this member has no partitions of ${this.#log.to.topic}`;
    return Promise.reject(new UserEventsError('LOG_UNREACHABLE', message));
  }

  close(): Promise<void> {
    this.#isOver = true;
    this.#closing ??= this.#leave().then(() => this.#settle?.resolve());
    return this.#closing;
  }

  #joined(partitions: readonly number[]): void {
    this.#watch.heard();
    this.#revoke();
    if (this.#isOver) return;
    this.#options.onJoined?.(partitions);
    if (partitions.length === 0) return;
    const assignment = new Assignment(partitions);
    this.#assignment = assignment;
    this.#callback(async () => {
      if (this.#assignment !== assignment) return;
      assignment.isTold = true;
      const offsets = await this.#options.onAssigned(partitions);
      if (this.#assignment === assignment && !this.#isOver) this.#begin(assignment, offsets);
    });
  }

  #begin(assignment: Assignment, offsets: ReadonlyMap<number, bigint>): void {
    const begun: number[] = [];
    for (const partition of assignment.partitions) {
      const offset = offsets.get(partition);
      if (offset === undefined)
        throw new TypeError(`onAssigned did not say where partition ${partition} begins`);
      this.#consumer.seek(partition, offset);
      if (assignment.begin(partition, offset)) begun.push(partition);
    }
    this.#consumer.resume(begun);
  }

  /** kafkajs's protocol is the eager one: at a rebalance everything is lost, and what comes back begins anew. */
  #revoke(): void {
    const assignment = this.#assignment;
    this.#assignment = undefined;
    if (assignment === undefined) return;
    this.#callback(async () => {
      if (assignment.isTold) await this.#options.onRevoked(assignment.partitions);
    });
  }

  #callback(call: () => Promise<void>): void {
    this.#callbacks = this.#callbacks.then(async () => {
      if (this.#isOver) return;
      await call().catch((error: unknown) => {
        this.#fail(error);
      });
    });
  }

  #deliver({ batch, fetchOffset }: CarriedBatch): boolean {
    const { partition, nextOffset, highWatermark } = batch;
    // Fetched before a seek or a pause: what is not taken is fetched again when its turn comes.
    if (this.#isOver || this.#assignment?.isNext(partition, fetchOffset) !== true) return false;
    this.#assignment.delivered(partition, nextOffset, highWatermark);
    this.#hand(batch);
    return true;
  }

  /** Asked behind a fetch's answer: an id that is still the same was so when the broker answered. */
  async #isOurs(broker: KafkaBroker): Promise<boolean> {
    const expected = this.#options.topicId?.() ?? null;
    if (expected === null) return true;
    const { topic } = this.#log.to;
    const found = await readTopicId(broker, topic);
    // Deleted since: the next fetch is told, and fails.
    if (found === 'missing') return false;
    if (found === 'unsupported' || found.id === expected) return true;
    this.#fail(topicReplaced(topic));
    return false;
  }

  #tellEnd(batch: RecordBatch): void {
    const { partition, nextOffset } = batch;
    if (this.#isOver || this.#assignment?.isNext(partition, nextOffset) !== true) return;
    if (this.#assignment.tellsEnd(partition)) this.#hand(batch);
  }

  #hand(batch: RecordBatch): void {
    try {
      this.#options.onBatch(batch);
    } catch (error) {
      this.#fail(error);
    }
  }

  #unreadable(partition: number, fetchOffset: bigint, error: unknown): void {
    // Asked for before a seek: the answer is nobody's.
    if (this.#assignment?.expected(partition) === fetchOffset) this.#fail(error);
  }

  #outOfRange(partition: number, fetchOffset: bigint, error: unknown): void {
    // Asked for before a seek: the answer is nobody's.
    if (this.#assignment?.expected(partition) !== fetchOffset) return;
    this.#consumer.pause([partition]);
    const { admin, to } = this.#log;
    void outOfRange(admin, to, () => fetchOffset, error).then((explained) => {
      this.#fail(explained);
    });
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#settle?.reject(error);
    this.#closing = this.#leave();
  }

  async #leave(): Promise<void> {
    this.#watch.stop();
    this.#assignment = undefined;
    await this.#consumer.leave();
    await withDeadline(() => this.#callbacks, this.#log.to, CALLBACKS_MS).catch(() => undefined);
  }
}
