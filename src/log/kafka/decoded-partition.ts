import type { LogRecord } from '../../domain/record.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { RecordBatch } from '../event-log.ts';
import type { FetchedMessage, FetchedPartition } from './private-api.ts';
import type { WirePartition } from './wire/fetch-response.ts';
import { behind, type BatchFault } from './wire/record-batch.ts';
import { readRecords, type ReadRecords } from './wire/records.ts';

/** Large enough that handing them on costs nothing. */
const PORTION_RECORDS = 250;

/** A partition of a fetch's answer as our own decoder has read it: in kafkajs's form, and as a batch. */
export class DecodedPartition implements FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: string;
  readonly lastStableOffset: string;
  readonly lastStartOffset: string;
  readonly preferredReadReplica: number;
  /** None: what they hide is not among the messages. */
  readonly abortedTransactions = [];
  readonly #topic: string;
  readonly #wire: WirePartition;

  constructor(topic: string, wire: WirePartition) {
    this.partition = wire.partition;
    this.errorCode = wire.errorCode;
    this.highWatermark = String(wire.highWatermark);
    this.lastStableOffset = String(wire.lastStableOffset);
    this.lastStartOffset = String(wire.logStartOffset);
    this.preferredReadReplica = wire.preferredReadReplica;
    this.#topic = topic;
    this.#wire = wire;
  }

  /**
   * For consumers that do not carry batches: the records, and for what kafkajs is to pass over (markers, aborted
   * records, what compaction took) one control record at its end.
   */
  get messages(): readonly FetchedMessage[] {
    const { records, nextOffset } = this.recordBatch(0n);
    const messages = records.map(toMessage);
    if (nextOffset > (records.at(-1)?.offset ?? -1n) + 1n) messages.push(marker(nextOffset - 1n));
    return messages;
  }

  /** Behind all that is here, told without reading it; `fetchOffset` where nothing is. */
  nextOffset(fetchOffset: bigint): bigint {
    const last = this.#wire.batches.at(-1);
    const next = last === undefined ? fetchOffset : behind(last);
    return next > fetchOffset ? next : fetchOffset;
  }

  /**
   * Committed records from `fetchOffset` on, as `toRecordBatch` says. What cannot be read ends the batch before it;
   * where nothing is before it, LOG_CORRUPT or LOG_FORMAT_OLD.
   */
  recordBatch(fetchOffset: bigint): RecordBatch {
    const { value: read } = this.#read(fetchOffset, Infinity).next();
    if (read === undefined) throw new TypeError('Reading records told nothing');
    const fault = read.fault ?? this.#wire.fault;
    if (fault !== null && read.nextOffset === fetchOffset) throw this.#error(fault);
    return this.#batch(read);
  }

  /** The same in batches of some hundred records, each read when it is asked for. */
  *recordBatches(fetchOffset: bigint): Generator<RecordBatch, void> {
    let next = fetchOffset;
    for (const read of this.#read(fetchOffset, PORTION_RECORDS)) {
      if (read.nextOffset > next) yield this.#batch(read);
      next = read.nextOffset;
      if (read.fault !== null) throw this.#error(read.fault);
    }
    const { fault } = this.#wire;
    if (fault !== null) throw this.#error(fault);
  }

  #read(fetchOffset: bigint, least: number): Generator<ReadRecords, void> {
    const { partition, batches, abortedTransactions } = this.#wire;
    return readRecords(partition, batches, abortedTransactions, fetchOffset, least);
  }

  #batch({ records, nextOffset }: ReadRecords): RecordBatch {
    const { partition, highWatermark } = this.#wire;
    return { partition, records, nextOffset, highWatermark };
  }

  #error({ code, offset, reason, cause }: BatchFault): UserEventsError {
    const { partition } = this;
    const place = `${this.#topic}[${partition}]@${offset}`;
    return new UserEventsError(code, `The record batch ${place} cannot be read: ${reason}`, {
      facts: { topic: this.#topic, partition, offset },
      cause,
    });
  }
}

/** As kafkajs decodes it: headers in an object, values of a repeated name in a list. */
function toMessage({ offset, timestamp, key, value, headers }: LogRecord): FetchedMessage {
  const byName: Record<string, Buffer | null | (Buffer | null)[]> = {};
  for (const header of headers) {
    const known = Object.hasOwn(byName, header.key) ? byName[header.key] : undefined;
    if (known === undefined) byName[header.key] = header.value;
    else byName[header.key] = Array.isArray(known) ? [...known, header.value] : [known, header.value];
  }
  return {
    offset: String(offset),
    timestamp: String(timestamp),
    key,
    value,
    headers: byName,
    isControlRecord: false,
  };
}

function marker(offset: bigint): FetchedMessage {
  return { offset: String(offset), timestamp: '0', key: null, value: null, isControlRecord: true };
}
