import type { LogRecord } from '../../domain/record.ts';
import type { RecordBatch } from '../event-log.ts';
import { DecodedPartition } from './decoded-partition.ts';
import { fromKafkaHeaders } from './headers.ts';
import type { FetchedMessage, FetchedPartition } from './private-api.ts';

/**
 * One partition of a fetch's answer as a batch: committed records from `fetchOffset` on, without control records and
 * those of aborted transactions. `nextOffset` is behind all that was read, delivered or not, and is `fetchOffset`
 * where nothing was.
 */
export function toRecordBatch(fetched: FetchedPartition, fetchOffset: bigint): RecordBatch {
  if (fetched instanceof DecodedPartition) return fetched.recordBatch(fetchOffset);
  const { partition, messages } = fetched;
  const isAborted = abortedRecords(fetched);
  const records: LogRecord[] = [];
  for (const message of messages) {
    // A fetch answers with whole batches, so that the first may begin before the offset asked for.
    if (isAborted(message) || message.isControlRecord === true) continue;
    const offset = BigInt(message.offset);
    if (offset >= fetchOffset) records.push(toRecord(message, partition, offset));
  }
  const nextOffset = behind(messages.at(-1), fetchOffset);
  return { partition, records, nextOffset, highWatermark: BigInt(fetched.highWatermark) };
}

/** Behind what was fetched, told without reading it; `fetchOffset` where nothing was. */
export function nextOffsetOf(fetched: FetchedPartition, fetchOffset: bigint): bigint {
  if (fetched instanceof DecodedPartition) return fetched.nextOffset(fetchOffset);
  return behind(fetched.messages.at(-1), fetchOffset);
}

/** As `toRecordBatch`, in batches that may be read one after the other as they are asked for. None where nothing is new. */
export function* recordBatches(fetched: FetchedPartition, fetchOffset: bigint): Generator<RecordBatch, void> {
  if (fetched instanceof DecodedPartition) return yield* fetched.recordBatches(fetchOffset);
  const batch = toRecordBatch(fetched, fetchOffset);
  if (batch.nextOffset > fetchOffset) yield batch;
}

function toRecord(message: FetchedMessage, partition: number, offset: bigint): LogRecord {
  return {
    partition,
    offset,
    timestamp: Number(message.timestamp),
    key: message.key,
    value: message.value,
    headers: fromKafkaHeaders(message.headers),
  };
}

/** Compaction leaves a batch its range of offsets: what is behind it is behind the range, not the last record. */
function behind(last: FetchedMessage | undefined, fetchOffset: bigint): bigint {
  if (last === undefined) return fetchOffset;
  const { batchContext } = last;
  const lastOffset =
    batchContext === undefined
      ? BigInt(last.offset)
      : BigInt(batchContext.firstOffset) + BigInt(batchContext.lastOffsetDelta);
  return lastOffset >= fetchOffset ? lastOffset + 1n : fetchOffset;
}

/**
 * Tells, asked for every message in order, whether it belongs to an aborted transaction: as the Java client's
 * `CompletedFetch` does it. kafkajs's own filter takes a record whose key is four zero bytes for the end of the
 * transaction, and delivers what follows.
 */
function abortedRecords({ abortedTransactions }: FetchedPartition): (message: FetchedMessage) => boolean {
  if (abortedTransactions === undefined || abortedTransactions === null || abortedTransactions.length === 0) {
    return () => false;
  }
  const coming = abortedTransactions
    .map(({ producerId, firstOffset }) => ({ producerId, firstOffset: BigInt(firstOffset) }))
    .sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  const aborting = new Set<string>();
  let at = 0;
  return ({ offset, key, isControlRecord, batchContext }) => {
    const reached = BigInt(offset);
    for (let next = coming[at]; next !== undefined && next.firstOffset <= reached; next = coming[at]) {
      aborting.add(next.producerId);
      at += 1;
    }
    if (batchContext === undefined || !aborting.has(batchContext.producerId)) return false;
    if (isControlRecord !== true) return batchContext.inTransaction;
    if (isAbortMarker(key)) aborting.delete(batchContext.producerId);
    return false;
  };
}

/** A control record's key is a version and a type, two bytes each (`ControlRecordType`): type 0 aborts. */
function isAbortMarker(key: Buffer | null): boolean {
  return key !== null && key.length >= 4 && key.readInt16BE(2) === 0;
}
