/** Record batches and Fetch answers, byte by byte, as the protocol's documents have them: written for tests alone. */
import { crc32c } from '../../src/log/kafka/wire/crc32c.ts';

export interface WireHeader {
  readonly key: string;
  readonly value: Buffer | null;
}

export interface BatchRecord {
  readonly offsetDelta: number;
  readonly timestampDelta: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly WireHeader[];
}

export interface BatchOptions {
  readonly baseOffset: bigint;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: bigint;
  readonly maxTimestamp: bigint;
  readonly isLogAppendTime: boolean;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly producerId: bigint;
  readonly records: readonly BatchRecord[];
  /** 0 is none. The records are written as they are, unless `bytes` says what they are compressed to. */
  readonly compression?: number;
  readonly bytes?: Buffer;
  readonly magic?: number;
  /** Instead of how many there are. */
  readonly recordCount?: number;
}

const PLAIN: BatchOptions = {
  baseOffset: 0n,
  lastOffsetDelta: 0,
  baseTimestamp: 1_700_000_000_000n,
  maxTimestamp: 1_700_000_000_000n,
  isLogAppendTime: false,
  isTransactional: false,
  isControl: false,
  producerId: -1n,
  records: [],
};

/** A batch of `values`, or of `more.records`, at consecutive offsets. */
export function batchOf(
  baseOffset: bigint,
  values: readonly string[],
  more: Partial<BatchOptions> = {},
): Buffer {
  const records = values.map((value, offsetDelta) => ({ ...record(value), offsetDelta }));
  return batchBytes({
    ...PLAIN,
    baseOffset,
    lastOffsetDelta: (more.records ?? records).length - 1,
    records,
    ...more,
  });
}

/** A record of `value` alone. */
export function record(value: string, more: Partial<BatchRecord> = {}): BatchRecord {
  return { offsetDelta: 0, timestampDelta: 0n, key: null, value: Buffer.from(value), headers: [], ...more };
}

/** The control batch that ends a transaction. */
export function markerOf(baseOffset: bigint, producerId: bigint, end: 'commit' | 'abort'): Buffer {
  const key = Buffer.from([0, 0, 0, end === 'abort' ? 0 : 1]);
  const records = [record('', { key, value: Buffer.alloc(6) })];
  return batchBytes({ ...PLAIN, baseOffset, producerId, isTransactional: true, isControl: true, records });
}

export function batchBytes(options: BatchOptions): Buffer {
  const { compression = 0, bytes = recordBytes(options.records), magic = 2, recordCount } = options;
  const attributes =
    compression |
    (options.isLogAppendTime ? 8 : 0) |
    (options.isTransactional ? 16 : 0) |
    (options.isControl ? 32 : 0);
  const checked = Buffer.concat([
    int(2, attributes),
    int(4, options.lastOffsetDelta),
    int(8, options.baseTimestamp),
    int(8, options.maxTimestamp),
    int(8, options.producerId),
    int(2, 0),
    int(4, -1),
    int(4, recordCount ?? options.records.length),
    bytes,
  ]);
  const head = Buffer.concat([int(4, -1), int(1, magic), uint32(crc32c(checked))]);
  return Buffer.concat([int(8, options.baseOffset), int(4, head.length + checked.length), head, checked]);
}

export function recordBytes(records: readonly BatchRecord[]): Buffer {
  return Buffer.concat(
    records.map(({ offsetDelta, timestampDelta, key, value, headers }) => {
      const body = Buffer.concat([
        int(1, 0),
        varint(timestampDelta),
        varint(BigInt(offsetDelta)),
        lengthAnd(key),
        lengthAnd(value),
        varint(BigInt(headers.length)),
        ...headers.flatMap((header) => [lengthAnd(Buffer.from(header.key)), lengthAnd(header.value)]),
      ]);
      return Buffer.concat([varint(BigInt(body.length)), body]);
    }),
  );
}

export interface AnswerPartition {
  readonly partition: number;
  readonly highWatermark?: bigint;
  /** Null as in an answer to a reader of uncommitted records. */
  readonly aborted?: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[] | null;
  readonly errorCode?: number;
  /** The record set. */
  readonly set: Buffer;
}

/** The body of a Fetch answer, version 11. */
export function fetchAnswer(topics: Readonly<Record<string, readonly AnswerPartition[]>>): Buffer {
  const list = Object.entries(topics);
  return Buffer.concat([
    int(4, 17),
    int(2, 0),
    int(4, 0),
    int(4, list.length),
    ...list.flatMap(([topic, partitions]) => [
      int(2, Buffer.byteLength(topic)),
      Buffer.from(topic),
      int(4, partitions.length),
      ...partitions.map(partitionBytes),
    ]),
  ]);
}

function partitionBytes(answer: AnswerPartition): Buffer {
  const { partition, highWatermark = 100n, aborted = null, errorCode = 0, set } = answer;
  return Buffer.concat([
    int(4, partition),
    int(2, errorCode),
    int(8, highWatermark),
    int(8, highWatermark),
    int(8, 0n),
    int(4, aborted === null ? -1 : aborted.length),
    ...(aborted ?? []).flatMap(({ producerId, firstOffset }) => [int(8, producerId), int(8, firstOffset)]),
    int(4, -1),
    int(4, set.length),
    set,
  ]);
}

/** Zigzag, seven bits a byte. */
export function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let bits = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; bits >= 0x80n; bits >>= 7n) bytes.push(Number(bits & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(bits)]);
}

function lengthAnd(bytes: Buffer | null): Buffer {
  return bytes === null ? varint(-1n) : Buffer.concat([varint(BigInt(bytes.length)), bytes]);
}

function int(size: 1 | 2 | 4 | 8, value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes.subarray(8 - size);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
