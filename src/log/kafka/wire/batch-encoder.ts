import { crc32c } from './crc32c.ts';
import type { ByteWriter } from './byte-writer.ts';

export type Bytes = Uint8Array | string;

/** A list keeps order, repeated names and null values; an object is what kafkajs's own messages have. */
export type OutgoingHeaders =
  | readonly { readonly key: string; readonly value: Bytes | null }[]
  | Readonly<Record<string, Bytes | readonly Bytes[] | null | undefined>>;

/** A record to write: the log's own, or a message as kafkajs's producers take it. */
export interface OutgoingRecord {
  readonly key?: Bytes | null;
  readonly value: Bytes | null;
  readonly headers?: OutgoingHeaders;
  /** ms since the epoch; text is decimal. Without it the time of the encoding. */
  readonly timestamp?: number | string;
}

/** The records that share a batch. */
export interface OutgoingBatch {
  readonly records: readonly OutgoingRecord[];
  /** -1 without idempotence. */
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** The sequence number of the first record. */
  readonly firstSequence: number;
  readonly isTransactional: boolean;
}

/** What a batch's head says of its timestamps; beyond 2^53 they are exact as bigints. */
export interface TimeSpan {
  readonly first: number | bigint;
  readonly last: number | bigint;
  /** Of records without a timestamp. */
  readonly now: number;
}

/** The records of a batch compressed, as `writeRecords` wrote them. */
export interface CompressedRecords {
  /** As in the batch's attributes: 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  readonly type: number;
  readonly bytes: Uint8Array;
}

const MAGIC = 2;
const TRANSACTIONAL = 1 << 4;
/** Base offset and length: what `length` does not count. */
const LENGTH_END = 12;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;

/**
 * Writes a record batch of format 2 (KIP-98): head, then the records, as they are or as they were compressed. The
 * bytes are those of kafkajs 2.2.4: base offset and leader's epoch 0 (the broker sets them), base timestamp the
 * smallest of all.
 */
export function writeBatch(
  out: ByteWriter,
  batch: OutgoingBatch,
  times: TimeSpan,
  compressed: CompressedRecords | null,
): void {
  const begin = out.length;
  const { records } = batch;
  out.int64(0n);
  out.int32(0);
  out.int32(0);
  out.int8(MAGIC);
  out.int32(0);
  out.int16((compressed?.type ?? 0) | (batch.isTransactional ? TRANSACTIONAL : 0));
  out.int32(records.length - 1);
  out.int64(BigInt(times.first));
  out.int64(BigInt(times.last));
  out.int64(batch.producerId);
  out.int16(batch.producerEpoch);
  out.int32(batch.firstSequence);
  out.int32(records.length);
  if (compressed === null) writeRecords(out, records, times);
  else out.raw(compressed.bytes);
  out.patchInt32(begin + LENGTH_END - 4, out.length - begin - LENGTH_END);
  out.patchInt32(begin + CRC_AT, crc32c(out.written, begin + ATTRIBUTES_AT));
}

/** The smallest and the largest timestamp. `now` is ms since the epoch. */
export function timeSpanOf(records: readonly OutgoingRecord[], now: number): TimeSpan {
  let first: number | bigint | undefined;
  let last: number | bigint | undefined;
  for (const record of records) {
    const time = timeOf(record, now);
    if (first === undefined || time < first) first = time;
    if (last === undefined || time > last) last = time;
  }
  return { first: first ?? now, last: last ?? now, now };
}

/** Writes the records alone: what a batch's compression is applied to. */
export function writeRecords(
  out: ByteWriter,
  records: readonly OutgoingRecord[],
  { first, now }: TimeSpan,
): void {
  for (let index = 0; index < records.length; index += 1) {
    const record = records[index];
    if (record === undefined) continue;
    const begin = out.beginSized();
    // No attributes of a record are in use.
    out.int8(0);
    out.varlong(difference(timeOf(record, now), first));
    out.varint(index);
    out.varintBytes(record.key);
    out.varintBytes(record.value);
    writeHeaders(out, record.headers ?? []);
    out.endSized(begin);
  }
}

function writeHeaders(out: ByteWriter, headers: OutgoingHeaders): void {
  if (isList(headers)) {
    out.varint(headers.length);
    for (const { key, value } of headers) writeHeader(out, key, value);
    return;
  }
  const names = Object.keys(headers);
  let count = 0;
  for (const name of names) count += countOf(headers[name]);
  out.varint(count);
  for (const name of names) {
    const values = headers[name];
    if (isMany(values)) for (const value of values) writeHeader(out, name, value);
    else writeHeader(out, name, values);
  }
}

function writeHeader(out: ByteWriter, name: string, value: Bytes | null | undefined): void {
  out.varintBytes(bytesOfName(name));
  out.varintBytes(value);
}

function isList(headers: OutgoingHeaders): headers is Extract<OutgoingHeaders, readonly unknown[]> {
  return Array.isArray(headers);
}

function isMany(values: Bytes | readonly Bytes[] | null | undefined): values is readonly Bytes[] {
  return Array.isArray(values);
}

function countOf(values: Bytes | readonly Bytes[] | null | undefined): number {
  return isMany(values) ? values.length : 1;
}

/** The same few names come with every record. */
const knownNames = new Map<string, Buffer>();
const MAX_KNOWN_NAMES = 1_000;

function bytesOfName(name: string): Buffer {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  const bytes = Buffer.from(name);
  if (knownNames.size < MAX_KNOWN_NAMES) knownNames.set(name, bytes);
  return bytes;
}

function timeOf({ timestamp }: OutgoingRecord, now: number): number | bigint {
  if (timestamp === undefined) return now;
  const time = Number(timestamp);
  return Number.isSafeInteger(time) ? time : BigInt(timestamp);
}

function difference(time: number | bigint, first: number | bigint): number | bigint {
  if (typeof time === 'number' && typeof first === 'number') {
    const delta = time - first;
    if (Number.isSafeInteger(delta)) return delta;
  }
  return BigInt(time) - BigInt(first);
}
