import { compressionOf } from './compression.ts';
import type { CodecUse, EncodedBody, Protocol } from './protocol.ts';
import { PartitionRecords } from './partition-records.ts';
import { encodeProduceRequest } from './wire/produce-request.ts';
import type { OutgoingRecord } from './wire/batch-encoder.ts';

/** The versions with record batches that kafkajs writes: one form of request for all of them. */
const FIRST_VERSION = 3;
const LAST_VERSION = 7;

/** What kafkajs's brokers make a Produce request from. */
interface ProduceOptions {
  readonly acks: number;
  /** ms. */
  readonly timeout: number;
  readonly compression: number;
  readonly transactionalId?: string;
  /** Decimal text once a producer is idempotent, before that the number -1. */
  readonly producerId: string | number;
  readonly producerEpoch: number;
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly firstSequence: number;
      readonly messages: readonly OutgoingRecord[];
    }[];
  }[];
}

/** The request with our encoder in it; the answer is read by kafkajs. Other versions are given back as they are. */
export function fastProduce(protocol: Protocol, options: unknown, use: CodecUse): Protocol {
  const { request } = protocol;
  if (request.apiVersion < FIRST_VERSION || request.apiVersion > LAST_VERSION) return protocol;
  if (!isProduceOptions(options)) return protocol;
  const encode = (): Promise<EncodedBody> => {
    use.encoded += 1;
    return encodeBody(options);
  };
  return { ...protocol, request: { ...request, encode } };
}

async function encodeBody(options: ProduceOptions): Promise<EncodedBody> {
  const { acks, timeout, transactionalId, producerId, producerEpoch, compression } = options;
  const now = Date.now();
  const topics = options.topicData.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition, firstSequence, messages }) => ({
      partition,
      firstSequence,
      ...(messages instanceof PartitionRecords
        ? { records: messages.records, now: messages.now }
        : { records: messages, now }),
    })),
  }));
  const request = {
    transactionalId: transactionalId ?? null,
    acks,
    timeoutMs: timeout,
    producerId: BigInt(producerId),
    producerEpoch,
    topics,
  };
  const buffer = await encodeProduceRequest(request, compressionOf(compression));
  return { buf: buffer, buffer };
}

function isProduceOptions(value: unknown): value is ProduceOptions {
  return (
    typeof value === 'object' && value !== null && 'topicData' in value && Array.isArray(value.topicData)
  );
}
