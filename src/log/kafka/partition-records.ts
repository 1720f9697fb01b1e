import type { Message } from 'kafkajs';
import type { NewRecord } from '../../domain/record.ts';
import { toKafkaHeaders } from './headers.ts';

/**
 * Records of one partition, given to kafkajs's producer (2.2.4) as its messages. It asks them for four things: whether
 * one has no value, their partitions, their number and, in its own encoder, one message after the other. Answered here,
 * a record costs neither a message of its own nor kafkajs's gathering by partition, which copies a list for every
 * message; our encoder takes the records as they are.
 */
export class PartitionRecords extends Array<Message> {
  readonly records: readonly NewRecord[];
  readonly partition: number;
  /** The time of records that have none, ms since the epoch: what is sent again is what was sent before. */
  readonly now: number;

  constructor(records: readonly NewRecord[], partition: number, now: number) {
    super();
    this.records = records;
    this.partition = partition;
    this.now = now;
    // By it kafkajs counts the producer's sequence numbers.
    this.length = records.length;
  }

  /** Looks for a message whose value is undefined. */
  override find(): undefined {
    return undefined;
  }

  /** Gathers by partition. */
  override reduce<U>(
    gather: (gathered: U, message: Message, index: number, all: Message[]) => U,
    none?: U,
  ): U;
  override reduce(): unknown {
    return { [this.partition]: this };
  }

  /** The way of kafkajs's own encoder, where it is in use. */
  override map<U>(each: (message: Message, index: number, all: Message[]) => U): U[] {
    return this.records.map((record) => toMessage(record, this.now)).map(each);
  }
}

function toMessage({ key, value, headers, timestamp }: NewRecord, now: number): Message {
  return { key, value, headers: toKafkaHeaders(headers), timestamp: String(timestamp ?? now) };
}
