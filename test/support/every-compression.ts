/** What is written by a client with our codec, in every way, for other programs to read. */
import { CompressionTypes, type Message } from 'kafkajs';
import type { KafkaClient } from '../../src/log/kafka/client.ts';
import { uniqueName } from './names.ts';

export type WrittenMessage = Message & {
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: string;
  readonly headers: { readonly name: string; readonly twice: string[]; readonly empty: string };
};

const NOW = Date.now();
const DAY_MS = 24 * 3_600_000;

/** None, gzip, snappy, lz4, zstd. */
export const COMPRESSIONS = Object.entries(CompressionTypes).filter(
  (entry): entry is [string, CompressionTypes] => typeof entry[1] === 'number',
);

/** Writes to partition 0, with every compression, a transaction that aborts and one that commits. Returns what is committed. */
export async function writeEveryCompression(
  { kafka }: KafkaClient,
  topic: string,
): Promise<readonly WrittenMessage[]> {
  const producer = kafka.producer({
    transactionalId: uniqueName('txn'),
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: () => () => 0,
  });
  await producer.connect();
  const committed: WrittenMessage[] = [];
  for (const [name, compression] of COMPRESSIONS) {
    for (const end of ['abort', 'commit'] as const) {
      const messages = messagesOf(`${name} ${end}`);
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [...messages], compression });
      await transaction[end]();
      if (end === 'commit') committed.push(...messages);
    }
  }
  await producer.disconnect();
  return committed;
}

function messagesOf(name: string): readonly WrittenMessage[] {
  return Array.from({ length: 300 }, (_, index) => ({
    key: index % 10 === 0 ? null : `${name} ${index}`,
    value: index % 11 === 0 ? null : 'ä'.repeat(index),
    // Up to a year apart, forwards and backwards; the broker takes none from the future.
    timestamp: String(NOW - (index % 2 === 0 ? index : 365 - index) * DAY_MS),
    headers: { name, twice: ['1', '2'], empty: '' },
  }));
}
