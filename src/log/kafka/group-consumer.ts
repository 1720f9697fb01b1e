import { PartitionAssigners, type Consumer, type EachBatchPayload, type PartitionAssigner } from 'kafkajs';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { SubscribeOptions } from '../event-log.ts';
import { CarriedBatch, carryBatches, type FetchWatcher } from './carried-batch.ts';
import { createKafkaClient, type KafkaClient } from './client.ts';
import { Commits } from './commits.ts';
import { isTransient, translateError, type Destination } from './errors.ts';
import { waitMs, withDeadline } from './patience.ts';
import type { KafkaSettings } from './settings.ts';

/** What a member of a group is told; all of it synchronously. */
export interface MemberEvents extends FetchWatcher {
  /** The group has given these partitions to this member, and all others to others. They are paused. */
  readonly onJoined: (partitions: readonly number[]) => void;
  /** No partition is this member's any more, until the next `onJoined`. */
  readonly onLost: () => void;
  /** The coordinator has answered. */
  readonly onHeartbeat: () => void;
  /** Returns whether the batch was taken; one that was not is fetched again. */
  readonly onCarried: (carried: CarriedBatch) => boolean;
  /** The consumer has stopped and does not start again. */
  readonly onEnd: (error: UserEventsError) => void;
}

const GROUP = {
  /** A member that was killed loses its partitions after this. */
  sessionTimeout: 10_000,
  rebalanceTimeout: 20_000,
  /** How soon a rebalance is noticed. */
  heartbeatInterval: 500,
  /** kafkajs looks at nothing else while it waits for records, a partition that was resumed included. */
  maxWaitTimeInMs: 100,
  /** Some 1,000 events of ordinary size. What is fetched is decoded at once: a whole MiB took more memory and was no faster. */
  maxBytesPerPartition: 256 * 1024,
  /** How soon partitions that were added to the topic are noticed. */
  metadataMaxAge: 10_000,
};
/** At the least, so that partitions added later do not wait for each other. */
const MIN_CONCURRENCY = 32;
const LEAVE_MS = 3_000;

/** kafkajs's consumer for one topic, without its habits: it commits, resets and skips nothing by itself. */
export class GroupConsumer {
  readonly #to: Destination;
  readonly #events: MemberEvents;
  readonly #client: KafkaClient;
  readonly #consumer: Consumer;
  readonly #commits: Commits;
  readonly #concurrency: number;
  #isLeaving = false;
  #crashes = 0;

  constructor(
    settings: KafkaSettings,
    to: Destination,
    { group: groupId, owner }: Pick<SubscribeOptions, 'group' | 'owner'>,
    partitionCount: number,
    events: MemberEvents,
  ) {
    this.#to = to;
    this.#events = events;
    this.#concurrency = Math.max(partitionCount, MIN_CONCURRENCY);
    // A client of its own: consumers of one client share what they know of a group's offsets. It rides everything out.
    this.#client = createKafkaClient(settings, 'long');
    carryBatches(this.#client.kafka, events);
    this.#consumer = this.#client.kafka.consumer({
      ...GROUP,
      groupId,
      partitionAssigners: [assignerOf(owner)],
      allowAutoTopicCreation: false,
      retry: { restartOnFailure: () => Promise.resolve(!this.#isLeaving) },
    });
    this.#commits = new Commits(this.#consumer, to);
  }

  start(): void {
    const consumer = this.#consumer;
    const { GROUP_JOIN, REBALANCING, HEARTBEAT, CRASH, REQUEST_TIMEOUT } = consumer.events;
    consumer.on(GROUP_JOIN, ({ payload }) => {
      this.#joined(payload.memberAssignment[this.#to.topic] ?? []);
    });
    consumer.on(REBALANCING, () => {
      this.#events.onLost();
    });
    consumer.on(HEARTBEAT, () => {
      this.#events.onHeartbeat();
    });
    consumer.on(REQUEST_TIMEOUT, () => {
      this.#client.sockets.drop('no answer');
    });
    consumer.on(CRASH, ({ payload }) => {
      this.#crashed(payload.error, payload.restart);
    });
    void this.#run();
  }

  /** Reads on from `offset`. */
  seek(partition: number, offset: bigint): void {
    this.#consumer.seek({ topic: this.#to.topic, partition, offset: String(offset) });
  }

  pause(partitions: readonly number[]): void {
    this.#whereItRuns(partitions, (topics) => {
      this.#consumer.pause(topics);
    });
  }

  resume(partitions: readonly number[]): void {
    this.#whereItRuns(partitions, (topics) => {
      this.#consumer.resume(topics);
    });
  }

  commit(offsets: ReadonlyMap<number, bigint>, metadata: string): Promise<void> {
    return this.#commits.commit(offsets, metadata);
  }

  /** Leaves the group, and makes sure that kafkajs does not join it again. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    await withDeadline(() => this.#consumer.disconnect(), this.#to, LEAVE_MS).catch(() => undefined);
    this.#client.sockets.close();
  }

  async #run(): Promise<void> {
    const consumer = this.#consumer;
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [this.#to.topic], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: this.#concurrency,
        eachBatch: (payload) => {
          this.#deliver(payload);
          return Promise.resolve();
        },
      });
    } catch (error) {
      this.#end(error);
    }
  }

  #joined(partitions: readonly number[]): void {
    this.#crashes = 0;
    if (this.#isLeaving) return;
    // kafkajs would go on from the committed offsets; where to read from is the caller's to say.
    this.pause(partitions);
    this.#events.onJoined(partitions);
  }

  /** Never throws: an error out of the handler makes kafkajs fetch the batch again, or end for good. */
  #deliver(payload: EachBatchPayload): void {
    for (const message of payload.batch.messages) {
      if (!(message instanceof CarriedBatch)) {
        this.#end(new UserEventsError('UNEXPECTED', 'A batch came past the carrier of batches'));
        return;
      }
      if (this.#events.onCarried(message)) payload.resolveOffset(message.offset);
    }
  }

  #crashed(error: Error, restarts: boolean): void {
    this.#events.onLost();
    if (restarts || this.#isLeaving) return;
    if (!isTransient(error)) {
      this.#end(error);
      return;
    }
    // kafkajs gives up on a coordinator that is not elected yet.
    this.#crashes += 1;
    setTimeout(() => {
      if (!this.#isLeaving) void this.#run();
    }, waitMs(this.#crashes));
  }

  #end(error: unknown): void {
    if (!this.#isLeaving) this.#events.onEnd(translateError(error, this.#to));
  }

  /** Between two runs there is nothing to pause, and kafkajs throws; the next run begins with a join and a pause. */
  #whereItRuns(
    partitions: readonly number[],
    call: (topics: { topic: string; partitions: number[] }[]) => void,
  ): void {
    if (partitions.length === 0) return;
    try {
      call([{ topic: this.#to.topic, partitions: [...partitions] }]);
    } catch (error) {
      if (!isStopped(error)) throw error;
    }
  }
}

/**
 * The coordinator lets only members with a protocol in common into a group: one named after the owner keeps out all
 * others, those of other programs too. Without an owner it is kafkajs's own.
 */
function assignerOf(owner: string | undefined): PartitionAssigner {
  if (owner === undefined) return PartitionAssigners.roundRobin;
  return (config) => ({ ...PartitionAssigners.roundRobin(config), name: `user-events:${owner}` });
}

function isStopped(error: unknown): boolean {
  return error instanceof Error && error.name === 'KafkaJSNonRetriableError';
}
