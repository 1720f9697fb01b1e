import type { NewRecord } from '../../domain/record.ts';

export interface ChunkLimits {
  /** Of one request: what is in memory twice while it is sent. */
  readonly maxRecords: number;
  /** Under the broker's `message.max.bytes` (1,048,588), which it refuses without a second try. */
  readonly maxBytes: number;
  /** How many records of the input may lie between the first record not sent and the last one sent. */
  readonly maxSpread: number;
}

/** Records of one partition that are sent together, as their indexes in the input, ascending. */
export interface Chunk {
  readonly partition: number;
  readonly indexes: readonly number[];
}

interface OpenChunk {
  readonly partition: number;
  readonly indexes: number[];
  bytes: number;
}

/** What a record takes besides key, value and headers, at most: lengths, deltas, attributes. */
const RECORD_OVERHEAD_BYTES = 32;
const HEADER_OVERHEAD_BYTES = 10;

/** At least what the record takes on the wire, uncompressed. */
export function recordBytes({ key, value, headers }: NewRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const header of headers) {
    bytes += HEADER_OVERHEAD_BYTES + Buffer.byteLength(header.key) + (header.value?.length ?? 0);
  }
  return bytes;
}

/**
 * Divides records into chunks, each of one partition, in the order in which they are to be sent: every partition's
 * records stay in the input's order. One partition a chunk, so that the outcome of a chunk is all or nothing. A
 * record over `maxBytes` has a chunk to itself. `partitions[i]` is the partition of `records[i]`.
 */
export function* chunksOf(
  records: readonly NewRecord[],
  partitions: readonly number[],
  limits: ChunkLimits,
): Generator<Chunk, void> {
  // Insertion order is the order of the first record: a chunk that is sent and begun anew goes to the end.
  const open = new Map<number, OpenChunk>();
  // Of the oldest chunk; most records need no look at it.
  let due = Infinity;
  for (const [index, record] of records.entries()) {
    const partition = partitions[index] ?? 0;
    const bytes = recordBytes(record);
    let chunk = open.get(partition);
    if (chunk !== undefined && isFull(chunk, bytes, limits)) {
      open.delete(partition);
      yield chunk;
      chunk = undefined;
    }
    if (chunk === undefined) {
      chunk = { partition, indexes: [], bytes: 0 };
      open.set(partition, chunk);
      due = Math.min(due, index + limits.maxSpread);
    }
    chunk.indexes.push(index);
    chunk.bytes += bytes;
    if (index < due) continue;
    yield* tooOld(open, index, limits);
    due = dueOf(open, limits);
  }
  yield* open.values();
}

function isFull(chunk: OpenChunk, bytes: number, { maxRecords, maxBytes }: ChunkLimits): boolean {
  return chunk.indexes.length >= maxRecords || chunk.bytes + bytes > maxBytes;
}

/** The index at which the oldest chunk has waited for too long. */
function dueOf(open: ReadonlyMap<number, OpenChunk>, { maxSpread }: ChunkLimits): number {
  for (const { indexes } of open.values()) return (indexes[0] ?? 0) + maxSpread;
  return Infinity;
}

/** Takes the chunks whose first record waits for too long out of `open`: the oldest is always the first. */
function* tooOld(
  open: Map<number, OpenChunk>,
  index: number,
  { maxSpread }: ChunkLimits,
): Generator<Chunk, void> {
  for (const [partition, chunk] of open) {
    if (index - (chunk.indexes[0] ?? index) < maxSpread) return;
    open.delete(partition);
    yield chunk;
  }
}
