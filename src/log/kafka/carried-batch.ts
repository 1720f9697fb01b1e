import type { Kafka } from 'kafkajs';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { RecordBatch } from '../event-log.ts';
import { hasType } from './errors.ts';
import { nextOffsetOf, toRecordBatch } from './fetched-batch.ts';
import {
  interceptFetches,
  type FetchedMessage,
  type FetchedPartition,
  type KafkaBroker,
} from './private-api.ts';

export interface FetchWatcher {
  /** The broker has answered. */
  readonly onAnswer: () => void;
  /** Whether what `broker` has just answered with may be delivered; otherwise it is as if it had not answered. */
  readonly isOurs: (broker: KafkaBroker) => Promise<boolean>;
  /** Nothing new from `batch.nextOffset` on: it carries no records, and does not come through the consumer. */
  readonly onNothingNew: (batch: RecordBatch) => void;
  /** What lies at `fetchOffset` cannot be read. */
  readonly onUnreadable: (partition: number, fetchOffset: bigint, error: unknown) => void;
  /** `fetchOffset` is outside the watermarks of `partition`. */
  readonly onOutOfRange: (partition: number, fetchOffset: bigint, error: unknown) => void;
}

/**
 * The one message that kafkajs's consumer is shown for what was fetched of a partition: it takes the batch along and
 * moves the consumer to its `nextOffset`. So every batch reaches the handler, one without records too, with the
 * offset it was fetched from, and no record of an aborted transaction is among its records.
 */
export class CarriedBatch implements FetchedMessage {
  readonly offset: string;
  readonly timestamp = '0';
  readonly key = null;
  readonly value = null;
  readonly isControlRecord = false;
  readonly batch: RecordBatch;
  /** Where the fetch began: another place than the one expected means that it was asked for before a seek. */
  readonly fetchOffset: bigint;

  constructor(batch: RecordBatch, fetchOffset: bigint) {
    this.batch = batch;
    this.fetchOffset = fetchOffset;
    this.offset = String(batch.nextOffset - 1n);
  }
}

/** Makes the consumers of this client carry whole batches, and tells `watcher` what kafkajs would keep to itself. */
export function carryBatches(kafka: Kafka, watcher: FetchWatcher): void {
  interceptFetches(kafka, async (request, fetch, broker) => {
    const asked = new Map<number, bigint>();
    for (const { partition, fetchOffset } of request.topics.flatMap(({ partitions }) => partitions)) {
      asked.set(partition, BigInt(fetchOffset));
    }
    try {
      const { responses } = await fetch(request);
      watcher.onAnswer();
      const hasNew = responses.some(({ partitions }) =>
        partitions.some((fetched) => {
          const fetchOffset = asked.get(fetched.partition) ?? 0n;
          return nextOffsetOf(fetched, fetchOffset) > fetchOffset;
        }),
      );
      if (hasNew && !(await watcher.isOurs(broker))) return { responses: [] };
      return {
        responses: responses.map(({ topicName, partitions }) => ({
          topicName,
          partitions: partitions.map((fetched) => carry(fetched, asked, watcher)),
        })),
      };
    } catch (error) {
      // kafkajs would ask for the same again, and again.
      if (error instanceof UserEventsError) {
        for (const [partition, fetchOffset] of asked) watcher.onUnreadable(partition, fetchOffset, error);
        return { responses: [] };
      }
      const partition = outOfRangePartition(error);
      if (partition === undefined) throw error;
      // kafkajs would commit -1 for the group and go on at the log's start or end, without a word.
      watcher.onOutOfRange(partition, asked.get(partition) ?? -1n, error);
      return { responses: [] };
    }
  });
}

function carry(
  fetched: FetchedPartition,
  asked: ReadonlyMap<number, bigint>,
  watcher: FetchWatcher,
): FetchedPartition {
  const fetchOffset = asked.get(fetched.partition) ?? 0n;
  const { partition, highWatermark } = fetched;
  const carried = { partition, highWatermark, abortedTransactions: [] };
  try {
    const batch = toRecordBatch(fetched, fetchOffset);
    if (batch.nextOffset > fetchOffset)
      return { ...carried, messages: [new CarriedBatch(batch, fetchOffset)] };
    watcher.onNothingNew(batch);
  } catch (error) {
    watcher.onUnreadable(partition, fetchOffset, error);
  }
  return { ...carried, messages: [] };
}

function outOfRangePartition(error: unknown): number | undefined {
  if (!hasType(error, 'OFFSET_OUT_OF_RANGE') || typeof error !== 'object' || error === null) return undefined;
  return 'partition' in error && typeof error.partition === 'number' ? error.partition : undefined;
}
