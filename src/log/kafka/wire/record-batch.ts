import { ByteReader, MalformedError } from './byte-reader.ts';
import { crc32c } from './crc32c.ts';

/** A record batch of format 2 (KIP-98): its header, and its records as they lie there, decompressed. */
export interface WireBatch {
  readonly baseOffset: bigint;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: bigint;
  readonly maxTimestamp: bigint;
  /** Then the time of every record is `maxTimestamp`, whatever it says itself. */
  readonly isLogAppendTime: boolean;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly producerId: bigint;
  readonly recordCount: number;
  readonly records: Buffer;
}

/** Why the batch at `offset` cannot be read, and so nothing behind it. */
export interface BatchFault {
  readonly code: 'LOG_CORRUPT' | 'LOG_FORMAT_OLD';
  readonly offset: bigint;
  readonly reason: string;
  readonly cause?: unknown;
}

/** Whole batches in their order. `fault` is the first one's that cannot be read; a batch that is cut off is none. */
export interface WireBatches {
  readonly batches: readonly WireBatch[];
  readonly fault: BatchFault | null;
}

/** `type` is 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
export type Decompress = (type: number, bytes: Buffer) => Promise<Buffer>;

/** Base offset and length, which come before what the length counts. */
const LOG_OVERHEAD = 12;
/** Up to this the header tells which format it is; the same place in all of them. */
const UP_TO_MAGIC = 17;
const MAGIC_AT = 16;
const CRC_AT = 17;
/** What the CRC covers begins here. */
const ATTRIBUTES_AT = 21;
const HEADER_BYTES = 61;
const MAGIC = 2;

const COMPRESSION_MASK = 0x07;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
const LAST_COMPRESSION = 4;

/**
 * Reads the batches of a record set, as Java's `ByteBufferLogInputStream` and `DefaultRecordBatch` do. A broker cuts a
 * set off at the size asked for: what is left of the last batch is passed over. Never rejects.
 */
export async function readBatches(set: Buffer, decompress: Decompress): Promise<WireBatches> {
  const batches: WireBatch[] = [];
  for (let at = 0; set.length - at >= UP_TO_MAGIC;) {
    const size = LOG_OVERHEAD + set.readInt32BE(at + 8);
    const offset = set.readBigInt64BE(at);
    const magic = set.readInt8(at + MAGIC_AT);
    if (magic === 0 || magic === 1) return { batches, fault: oldFormat(offset, magic) };
    if (magic !== MAGIC) return { batches, fault: corrupt(offset, `its format is ${magic}`) };
    if (size < HEADER_BYTES) return { batches, fault: corrupt(offset, 'its length is too small') };
    if (size > set.length - at) break;
    try {
      const batch = readBatch(set.subarray(at, at + size), decompress);
      // Awaited only where it must be: a turn of the loop for every batch is dear.
      batches.push(batch instanceof Promise ? await batch : batch);
    } catch (error) {
      const reason = error instanceof MalformedError ? error.message : 'it cannot be read';
      return { batches, fault: corrupt(offset, reason, error) };
    }
    at += size;
  }
  // A broker sends the first batch whole, however large (KIP-74). Without one the same would be asked for ever.
  const isStuck = batches.length === 0 && set.length > 0;
  return { batches, fault: isStuck ? corrupt(firstOffset(set), 'it is cut off, and the first') : null };
}

function firstOffset(set: Buffer): bigint {
  return set.length < 8 ? -1n : set.readBigInt64BE(0);
}

function readBatch(bytes: Buffer, decompress: Decompress): WireBatch | Promise<WireBatch> {
  // As the Java client does unless its `check.crcs` says otherwise.
  if (crc32c(bytes, ATTRIBUTES_AT) !== bytes.readUInt32BE(CRC_AT)) {
    throw new MalformedError('its CRC does not match');
  }
  const header = readHeader(bytes);
  const records = bytes.subarray(HEADER_BYTES);
  const type = bytes.readInt16BE(ATTRIBUTES_AT) & COMPRESSION_MASK;
  if (type === 0) return { ...header, records };
  if (type > LAST_COMPRESSION) throw new MalformedError(`its compression is of type ${type}`);
  return decompress(type, records).then(
    (plain) => ({ ...header, records: plain }),
    (cause: unknown) => {
      throw new MalformedError(`it cannot be decompressed (type ${type})`, { cause });
    },
  );
}

function readHeader(bytes: Buffer): Omit<WireBatch, 'records'> {
  const reader = new ByteReader(bytes, ATTRIBUTES_AT);
  const attributes = reader.readInt16();
  const lastOffsetDelta = reader.readInt32();
  const baseTimestamp = reader.readInt64();
  const maxTimestamp = reader.readInt64();
  const producerId = reader.readInt64();
  reader.skip(2 + 4); // The producer's epoch and its sequence number: the broker's to check.
  const recordCount = reader.readInt32();
  if (lastOffsetDelta < 0) throw new MalformedError('its last offset is before its first');
  if (recordCount < 0) throw new MalformedError('its number of records is negative');
  return {
    baseOffset: bytes.readBigInt64BE(0),
    lastOffsetDelta,
    baseTimestamp,
    maxTimestamp,
    isLogAppendTime: (attributes & LOG_APPEND_TIME) !== 0,
    isTransactional: (attributes & TRANSACTIONAL) !== 0,
    isControl: (attributes & CONTROL) !== 0,
    producerId,
    recordCount,
  };
}

/** Behind the batch's range of offsets, whatever compaction has left in it. */
export function behind(batch: WireBatch): bigint {
  return batch.baseOffset + BigInt(batch.lastOffsetDelta) + 1n;
}

/** A batch, or a record in it, that is not what the format says. */
export function corrupt(offset: bigint, reason: string, cause?: unknown): BatchFault {
  return { code: 'LOG_CORRUPT', offset, reason, cause };
}

function oldFormat(offset: bigint, magic: number): BatchFault {
  return { code: 'LOG_FORMAT_OLD', offset, reason: `it is in message format ${magic}` };
}
