import { UserEventsError } from '../../errors/user-events-error.ts';
import type { RecordBatch } from '../event-log.ts';
import { createKafkaClient, type KafkaClient } from './client.ts';
import { nextOffsetOf, recordBatches } from './fetched-batch.ts';
import {
  createCluster,
  type FetchedPartition,
  type FetchResponse,
  type KafkaCluster,
} from './private-api.ts';
import type { KafkaSettings } from './settings.ts';

/** How far one partition has been read. */
export interface Cursor {
  readonly partition: number;
  next: bigint;
  /** Where to end; undefined for no end, or until the first answer tells. */
  to: bigint | undefined;
  /** Whether `to` has still to be bound by what the log has at the first answer. */
  isUnbound: boolean;
}

type Answer = { readonly nodeId: string; readonly partitions: readonly number[] } & (
  { readonly response: FetchResponse } | { readonly error: unknown }
);

const READ_COMMITTED = 1;
const PARTITION_BYTES = 1024 * 1024;
/** The first answer is a small one, so that the first records are there soon. */
const FIRST_PARTITION_BYTES = 64 * 1024;
const RESPONSE_BYTES = 10 * 1024 * 1024;
/** How long the broker waits for new records where there are none, in a reader that follows. */
const FOLLOW_WAIT_MS = 500;

/**
 * One connection's worth of reading: a fetch under way to every broker that leads one of the partitions. Moves the
 * cursors as answers come in and removes those that have reached their end. A failure ends the session: the caller
 * begins another one, which asks anew who leads what.
 */
export class FetchSession {
  readonly #client: KafkaClient;
  readonly #cluster: KafkaCluster;
  readonly #topic: string;
  readonly #cursors: Map<number, Cursor>;
  readonly #waitMs: number;
  #isFirst = true;

  constructor(settings: KafkaSettings, cursors: Map<number, Cursor>, follow: boolean) {
    this.#client = createKafkaClient(settings, 'short');
    const { kafka, sockets } = this.#client;
    this.#cluster = createCluster(kafka, () => {
      sockets.drop('no answer');
    });
    this.#topic = settings.topic;
    this.#cursors = cursors;
    this.#waitMs = follow ? FOLLOW_WAIT_MS : 0;
  }

  /** Connects and reads who leads the partitions. */
  async open(): Promise<void> {
    await this.#cluster.connect();
    await this.#cluster.addTargetTopic(this.#topic);
  }

  /**
   * The batches of one answer at a time. While the caller has them, the next fetch of that broker is under way. They are
   * read as the caller goes over them: once, and to their end.
   */
  async *answers(): AsyncGenerator<Iterable<RecordBatch>, void> {
    const leaders = this.#cluster.findLeaderForPartitions(this.#topic, [...this.#cursors.keys()]);
    this.#checkExist(Object.values(leaders).flat());
    const fetches = new Map<string, Promise<Answer>>();
    for (const [nodeId, partitions] of Object.entries(leaders)) {
      fetches.set(nodeId, this.#fetch(nodeId, partitions));
    }
    while (fetches.size > 0) {
      const answer = await Promise.race(fetches.values());
      if ('error' in answer) throw answer.error;
      this.#isFirst = false;
      const batches = this.#take(answer.response);
      const rest = answer.partitions.filter((partition) => this.#cursors.has(partition));
      if (rest.length > 0) fetches.set(answer.nodeId, this.#fetch(answer.nodeId, rest));
      else fetches.delete(answer.nodeId);
      yield batches;
    }
  }

  /** Breaks off what is under way. May be called many times. */
  close(): void {
    this.#client.sockets.close();
    this.#cluster.disconnect().catch(() => undefined);
  }

  /** Never rejects: its failure is looked at when its turn comes. */
  async #fetch(nodeId: string, partitions: readonly number[]): Promise<Answer> {
    try {
      const broker = await this.#cluster.findBroker({ nodeId });
      const response = await broker.fetch({
        isolationLevel: READ_COMMITTED,
        maxWaitTime: this.#waitMs,
        minBytes: 1,
        maxBytes: RESPONSE_BYTES,
        topics: [{ topic: this.#topic, partitions: partitions.map((partition) => this.#request(partition)) }],
      });
      return { nodeId, partitions, response };
    } catch (error) {
      return { nodeId, partitions, error };
    }
  }

  #request(partition: number) {
    const next = this.#cursors.get(partition)?.next ?? 0n;
    const maxBytes = this.#isFirst ? FIRST_PARTITION_BYTES : PARTITION_BYTES;
    return { partition, fetchOffset: String(next), maxBytes };
  }

  /** Moves the cursors behind what was fetched, and returns what that is. */
  #take({ responses }: FetchResponse): Iterable<RecordBatch> {
    const taken: Iterable<RecordBatch>[] = [];
    for (const fetched of responses.flatMap(({ partitions }) => partitions)) {
      const cursor = this.#cursors.get(fetched.partition);
      if (cursor === undefined) continue;
      bind(cursor, fetched);
      const { next: from, to } = cursor;
      cursor.next = nextOffsetOf(fetched, from);
      if (to !== undefined && cursor.next >= to) this.#cursors.delete(cursor.partition);
      taken.push(cutAt(to, recordBatches(fetched, from)));
    }
    return inTurn(taken);
  }

  #checkExist(known: readonly number[]): void {
    for (const partition of this.#cursors.keys()) {
      if (known.includes(partition)) continue;
      throw new UserEventsError('LOG_REFUSED', `Topic ${this.#topic} has no partition ${partition}`, {
        hint: '`user-events status` lists the partitions.',
        facts: { topic: this.#topic, partition },
      });
    }
  }
}

/**
 * A reader that does not follow ends at what the log had at its first answer: the last stable offset, since what lies
 * between it and the high watermark belongs to open transactions.
 */
function bind(cursor: Cursor, { highWatermark, lastStableOffset }: FetchedPartition): void {
  if (!cursor.isUnbound) return;
  cursor.isUnbound = false;
  // Brokers that do not know transactions answer -1.
  const stable = BigInt(lastStableOffset ?? -1);
  const end = stable < 0n ? BigInt(highWatermark) : stable;
  if (cursor.to === undefined || cursor.to > end) cursor.to = end;
}

function* inTurn<T>(lists: readonly Iterable<T>[]): Generator<T, void> {
  for (const list of lists) yield* list;
}

function* cutAt(to: bigint | undefined, batches: Iterable<RecordBatch>): Generator<RecordBatch, void> {
  for (const batch of batches) {
    if (to === undefined || batch.nextOffset < to) {
      yield batch;
      continue;
    }
    yield { ...batch, records: batch.records.filter(({ offset }) => offset < to), nextOffset: to };
    return;
  }
}
