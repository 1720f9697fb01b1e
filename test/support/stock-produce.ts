/** kafkajs's own Produce requests: the oracle of our encoder. Its inside is imported by path, as tests may. */
import { createRequire } from 'node:module';
import type { Protocol } from '../../src/log/kafka/protocol.ts';
import type { OutgoingRecord } from '../../src/log/kafka/wire/batch-encoder.ts';

/** What kafkajs's brokers make a Produce request from. */
export interface StockProduceOptions {
  readonly acks: number;
  readonly timeout: number;
  readonly compression: number;
  readonly transactionalId?: string;
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

interface ProduceVersions {
  protocol(of: { readonly version: number }): (options: StockProduceOptions) => Protocol;
}

/** kafkajs's own request and response of a version. */
export function stockProduce(version: number, options: StockProduceOptions): Protocol {
  const loaded: unknown = createRequire(import.meta.url)('kafkajs/src/protocol/requests/produce');
  if (!isProduceVersions(loaded)) throw new Error('This is not kafkajs 2.2.4');
  return loaded.protocol({ version })(options);
}

function isProduceVersions(value: unknown): value is ProduceVersions {
  return typeof value === 'object' && value !== null && 'protocol' in value;
}

/** The record set that kafkajs writes of messages, uncompressed. */
export async function stockRecordSet(messages: readonly OutgoingRecord[]): Promise<Buffer> {
  const options = {
    ...{ acks: -1, timeout: 0, compression: 0, producerId: '1', producerEpoch: 0 },
    topicData: [{ topic: '', partitions: [{ partition: 0, firstSequence: 0, messages }] }],
  };
  const { buffer } = await stockProduce(7, options).request.encode();
  return buffer.subarray(BEFORE_RECORD_SET);
}

/** No transactional id, acks, timeout, one topic without a name, one partition and the set's length: bytes. */
const BEFORE_RECORD_SET = 2 + 2 + 4 + 4 + 2 + 4 + 4 + 4;
