import {
  timeSpanOf,
  writeBatch,
  writeRecords,
  type CompressedRecords,
  type OutgoingRecord,
  type TimeSpan,
} from './batch-encoder.ts';
import { ByteWriter } from './byte-writer.ts';

export interface OutgoingPartition {
  readonly partition: number;
  readonly records: readonly OutgoingRecord[];
  /** The sequence number of the first record; 0 without idempotence. */
  readonly firstSequence: number;
  /** The time of records that have none, ms since the epoch. */
  readonly now: number;
}

/** Produce, versions 3 to 7: one form for all of them. */
export interface ProduceRequest {
  /** Null without a transaction. */
  readonly transactionalId: string | null;
  /** -1: all in-sync replicas; 1: the leader; 0: no answer. */
  readonly acks: number;
  /** How long the broker may wait for its replicas, ms. */
  readonly timeoutMs: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly OutgoingPartition[] }[];
}

/** How the records of a batch are compressed. */
export interface Compression {
  /** As in the batch's attributes: 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  readonly type: number;
  readonly compress: (records: Buffer) => Promise<Uint8Array>;
}

interface ReadyPartition extends OutgoingPartition {
  readonly times: TimeSpan;
  readonly compressed: CompressedRecords | null;
}

/** Room for a record where its size is not known: an event of ours with its four headers. */
const GUESSED_RECORD_BYTES = 300;
const GUESSED_HEAD_BYTES = 512;

/** The body of a Produce request. */
export async function encodeProduceRequest(
  request: ProduceRequest,
  compression: Compression | null,
): Promise<Buffer> {
  const topics: { topic: string; partitions: ReadyPartition[] }[] = [];
  let count = 0;
  for (const { topic, partitions } of request.topics) {
    const ready: ReadyPartition[] = [];
    for (const partition of partitions) {
      const times = timeSpanOf(partition.records, partition.now);
      const compressed = compression === null ? null : await compress(partition.records, times, compression);
      ready.push({ ...partition, times, compressed });
      count += partition.records.length;
    }
    topics.push({ topic, partitions: ready });
  }
  const out = new ByteWriter(GUESSED_HEAD_BYTES + count * GUESSED_RECORD_BYTES);
  out.string(request.transactionalId);
  out.int16(request.acks);
  out.int32(request.timeoutMs);
  out.int32(topics.length);
  for (const { topic, partitions } of topics) {
    out.string(topic);
    out.int32(partitions.length);
    for (const partition of partitions) writePartition(out, request, partition);
  }
  return out.written;
}

function writePartition(out: ByteWriter, request: ProduceRequest, ready: ReadyPartition): void {
  out.int32(ready.partition);
  const sizeAt = out.skip(4);
  const { producerId, producerEpoch, transactionalId } = request;
  const { records, firstSequence } = ready;
  const isTransactional = transactionalId !== null;
  const batch = { records, producerId, producerEpoch, firstSequence, isTransactional };
  writeBatch(out, batch, ready.times, ready.compressed);
  out.patchInt32(sizeAt, out.length - sizeAt - 4);
}

async function compress(
  records: readonly OutgoingRecord[],
  times: TimeSpan,
  { type, compress: compressBytes }: Compression,
): Promise<CompressedRecords> {
  const out = new ByteWriter(records.length * GUESSED_RECORD_BYTES);
  writeRecords(out, records, times);
  return { type, bytes: await compressBytes(out.written) };
}
