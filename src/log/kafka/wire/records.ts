import { ByteReader, MalformedError } from './byte-reader.ts';
import { HeaderMemo } from './header-memo.ts';
import { behind, corrupt, type BatchFault, type WireBatch } from './record-batch.ts';
import { WireRecord } from './wire-record.ts';

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

/** Records of consecutive batches. */
export interface ReadRecords {
  readonly records: readonly WireRecord[];
  /** Behind all that was read, delivered or not; the offset asked for where nothing was. */
  readonly nextOffset: bigint;
  /** Why nothing at `nextOffset` can be read. */
  readonly fault: BatchFault | null;
}

/**
 * The records from `from` on, without control records and without those of `aborted` transactions, as Java's
 * `CompletedFetch` tells them: a transaction ends with a control batch of its producer, and with nothing else. Without
 * `aborted` (read uncommitted) all are there. Of a batch that is malformed nothing is.
 *
 * They come in portions of whole batches that have at least `least` records: what is used up before the next portion is
 * read costs the garbage collector next to nothing. The last portion may be empty; behind a fault there is none.
 */
export function* readRecords(
  partition: number,
  batches: readonly WireBatch[],
  aborted: readonly AbortedTransaction[],
  from: bigint,
  least: number,
): Generator<ReadRecords, void> {
  const isAborted = abortedBatches(aborted);
  let records: WireRecord[] = [];
  let nextOffset = from;
  for (const batch of batches) {
    const whole = records.length;
    try {
      const next = behind(batch);
      // A fetch answers with whole batches, so that the first may begin, or even end, before the offset asked for.
      if (!isAborted(batch) && !batch.isControl && next > from) addRecords(partition, batch, from, records);
      if (next > nextOffset) nextOffset = next;
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      records.length = whole;
      yield { records, nextOffset, fault: corrupt(batch.baseOffset, error.message, error) };
      return;
    }
    if (records.length < least) continue;
    yield { records, nextOffset, fault: null };
    records = [];
  }
  yield { records, nextOffset, fault: null };
}

function addRecords(partition: number, batch: WireBatch, from: bigint, records: WireRecord[]): void {
  const reader = new ByteReader(batch.records);
  const timestampOf = timestamps(batch);
  const { baseOffset, lastOffsetDelta } = batch;
  const skipBelow = from > baseOffset ? Number(from - baseOffset) : 0;
  const memo = new HeaderMemo();
  let last = -1;
  for (let index = 0; index < batch.recordCount; index += 1) {
    const size = reader.readVarint();
    const end = reader.at + size;
    reader.skip(1); // Attributes: none are in use.
    const timestamp = timestampOf(reader.readVarlong());
    const delta = reader.readVarint();
    if (delta <= last || delta > lastOffsetDelta) throw new MalformedError('its offsets are out of order');
    last = delta;
    if (delta < skipBelow) reader.skip(end - reader.at);
    else records.push(new WireRecord(partition, baseOffset + BigInt(delta), timestamp, reader, memo));
    if (reader.at !== end) throw new MalformedError('a record is not as long as it says');
  }
  if (reader.left > 0) throw new MalformedError('it holds more than its records');
}

/** Makes ms since the epoch of a record's timestamp delta. */
function timestamps({
  isLogAppendTime,
  maxTimestamp,
  baseTimestamp,
}: WireBatch): (delta: number | bigint) => number {
  const appended = Number(maxTimestamp);
  if (isLogAppendTime) return () => appended;
  const base = Number(baseTimestamp);
  return (delta) =>
    // A double holds every ms of 285,000 years; a producer may have written any 64 bits (nanoseconds, by mistake).
    typeof delta === 'number' && Number.isSafeInteger(base + delta)
      ? base + delta
      : Number(BigInt.asIntN(64, baseTimestamp + BigInt(delta)));
}

/** Tells, asked for every batch in order, whether it belongs to an aborted transaction. */
function abortedBatches(aborted: readonly AbortedTransaction[]): (batch: WireBatch) => boolean {
  if (aborted.length === 0) return () => false;
  const coming = [...aborted].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  const aborting = new Set<bigint>();
  let at = 0;
  return (batch) => {
    const reached = behind(batch);
    for (let next = coming[at]; next !== undefined && next.firstOffset < reached; next = coming[at]) {
      aborting.add(next.producerId);
      at += 1;
    }
    if (!aborting.has(batch.producerId)) return false;
    if (!batch.isControl) return batch.isTransactional;
    if (isAbortMarker(batch)) aborting.delete(batch.producerId);
    return false;
  };
}

/** A control batch is one record; its key is a version and a type, two bytes each (`ControlRecordType`): type 0 aborts. */
function isAbortMarker(batch: WireBatch): boolean {
  const reader = new ByteReader(batch.records);
  reader.readVarint();
  reader.skip(1);
  reader.readVarlong();
  reader.readVarint();
  if (reader.readVarint() < 4) throw new MalformedError('the key of its control record is too short');
  reader.skip(2);
  return reader.readInt16() === 0;
}
