import { ByteReader, MalformedError } from './byte-reader.ts';
import { readBatches, type Decompress, type WireBatches } from './record-batch.ts';
import type { AbortedTransaction } from './records.ts';

/** One partition of an answer. */
export interface WirePartition extends WireBatches {
  readonly partition: number;
  /** Of `org.apache.kafka.common.protocol.Errors`; 0 is none. */
  readonly errorCode: number;
  readonly highWatermark: bigint;
  readonly lastStableOffset: bigint;
  readonly logStartOffset: bigint;
  /** Empty where the request did not ask for committed records alone. */
  readonly abortedTransactions: readonly AbortedTransaction[];
  readonly preferredReadReplica: number;
}

export interface WireFetchResponse {
  /** For how long the broker wants no more requests, ms. */
  readonly throttleTimeMs: number;
  readonly errorCode: number;
  readonly sessionId: number;
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly WirePartition[] }[];
}

/**
 * Decodes a Fetch response of version 11, without its header. One that is cut off gives all partitions and batches that
 * are whole; rejects with MalformedError where it has none.
 */
export async function decodeFetchResponse(
  response: Buffer,
  decompress: Decompress,
): Promise<WireFetchResponse> {
  const reader = new ByteReader(response);
  const topics: { topic: string; partitions: WirePartition[] }[] = [];
  let head = { throttleTimeMs: 0, errorCode: 0, sessionId: 0 };
  try {
    head = {
      throttleTimeMs: reader.readInt32(),
      errorCode: reader.readInt16(),
      sessionId: reader.readInt32(),
    };
    for (let left = reader.readInt32(); left > 0; left -= 1) {
      const partitions: WirePartition[] = [];
      const topic = reader.readString();
      if (topic === null) throw new MalformedError('a topic has no name');
      topics.push({ topic, partitions });
      for (let leftOfTopic = reader.readInt32(); leftOfTopic > 0; leftOfTopic -= 1) {
        partitions.push(await readPartition(reader, decompress));
      }
    }
  } catch (error) {
    const hasBatches = topics.some(({ partitions }) => partitions.some(({ batches }) => batches.length > 0));
    if (!(error instanceof MalformedError) || !hasBatches) throw error;
  }
  return { ...head, topics };
}

async function readPartition(reader: ByteReader, decompress: Decompress): Promise<WirePartition> {
  const partition = reader.readInt32();
  const errorCode = reader.readInt16();
  const highWatermark = reader.readInt64();
  const lastStableOffset = reader.readInt64();
  const logStartOffset = reader.readInt64();
  const abortedTransactions: AbortedTransaction[] = [];
  for (let left = reader.readInt32(); left > 0; left -= 1) {
    abortedTransactions.push({ producerId: reader.readInt64(), firstOffset: reader.readInt64() });
  }
  const preferredReadReplica = reader.readInt32();
  const setBytes = reader.readInt32();
  const length = Math.max(0, Math.min(setBytes, reader.left));
  const from = reader.skip(length);
  const { batches, fault } = await readBatches(reader.bytes.subarray(from, from + length), decompress);
  if (length < setBytes && batches.length === 0)
    throw new MalformedError('it ends before the first whole batch');
  return {
    partition,
    errorCode,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    abortedTransactions,
    preferredReadReplica,
    batches,
    fault,
  };
}
