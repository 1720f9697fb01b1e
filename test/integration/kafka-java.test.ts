import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CompressionTypes, type Message } from 'kafkajs';
import { kafkaClassPath } from '../../scripts/kafka/jars.mjs';
import { partitionFor } from '../../src/domain/partitioner.ts';
import { createKafkaClient, type KafkaClient } from '../../src/log/kafka/client.ts';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { readAll, useLogs } from '../conformance/harness.ts';
import { describeKafka, kafkaBrokers } from '../support/describe-kafka.ts';
import { uniqueName } from '../support/names.ts';

/** A JVM has to start, on two cores that others use too. */
const JAVA_MS = 90_000;
const MEGABYTES = 64;
const NOW = Date.now();
const DAY_MS = 24 * 3_600_000;
const COMPRESSIONS = Object.entries(CompressionTypes).filter(
  (entry): entry is [string, CompressionTypes] => typeof entry[1] === 'number',
);

describeKafka('the Java client', () => {
  let classPath = '';
  beforeAll(async () => {
    classPath = await kafkaClassPath();
  });
  const logs = useLogs(({ topic, patience }) =>
    createKafkaEventLog({ brokers: [kafkaBrokers()], clientId: 'test', topic, patience }),
  );
  const clients: KafkaClient[] = [];
  afterAll(() => {
    for (const { sockets } of clients) sockets.close();
  });
  const java = async (tool: string, args: readonly string[], input = '') => {
    const running = promisify(execFile)(
      'java',
      ['-cp', classPath, `org.apache.kafka.tools.${tool}`, '--bootstrap-server', kafkaBrokers(), ...args],
      { maxBuffer: MEGABYTES * 1024 * 1024 },
    );
    running.child.stdin?.end(input);
    return (await running).stdout;
  };

  test(
    'reads what we write with every compression, in transactions that commit and abort',
    async () => {
      const { topic } = await logs.fresh(1);
      const settings = { brokers: [kafkaBrokers()], clientId: 'test', topic, patience: 'short' } as const;
      const client = createKafkaClient(settings, 'short');
      clients.push(client);
      const producer = client.kafka.producer({
        transactionalId: uniqueName('txn'),
        idempotent: true,
        maxInFlightRequests: 1,
        createPartitioner: () => () => 0,
      });
      await producer.connect();
      const expected: string[] = [];
      for (const [name, compression] of COMPRESSIONS) {
        for (const end of ['abort', 'commit'] as const) {
          const messages = messagesOf(`${name} ${end}`);
          const transaction = await producer.transaction();
          await transaction.send({ topic, messages: [...messages], compression });
          await transaction[end]();
          if (end === 'commit') expected.push(...messages.map(consoleLine));
        }
      }
      await producer.disconnect();
      expect(client.codec?.encoded).toBe(2 * COMPRESSIONS.length);
      const shown = ['timestamp', 'headers', 'key'].flatMap((property) => [
        '--formatter-property',
        `print.${property}=true`,
      ]);
      const until = ['--from-beginning', '--isolation-level', 'read_committed', '--timeout-ms', '20000'];
      const max = ['--max-messages', String(expected.length)];
      const text = await java('consumer.ConsoleConsumer', ['--topic', topic, ...until, ...max, ...shown]);
      expect(text.trimEnd().split('\n')).toEqual(expected);
    },
    JAVA_MS,
  );

  test(
    'puts 20,000 keys into the partitions that partitionFor says',
    async () => {
      const partitions = 7;
      const { log, topic } = await logs.fresh(partitions);
      const keys = Array.from({ length: 20_000 }, (_, index) => keyOf(index));
      const keyed = ['--reader-property', 'parse.key=true'];
      await java('ConsoleProducer', ['--topic', topic, ...keyed], keys.map((key) => `${key}\t\n`).join(''));
      const found = new Map((await readAll(log)).map(({ key, partition }) => [String(key), partition]));
      expect(found.size).toBe(new Set(keys).size);
      const wrong = keys.filter((key) => found.get(key) !== partitionFor(Buffer.from(key), partitions));
      expect(wrong).toEqual([]);
    },
    JAVA_MS,
  );
});

/** Of every length and alphabet; each its own. */
function keyOf(index: number): string {
  const filler = ['', 'a', 'ö', '用户', '🙂', 'user-', '-'][index % 7] ?? '';
  return `${filler.repeat(index % 23)}${index.toString(36)}`;
}

function messagesOf(name: string): (Message & { key: string | null; timestamp: string })[] {
  return Array.from({ length: 300 }, (_, index) => ({
    key: index % 10 === 0 ? null : `${name} ${index}`,
    value: index % 11 === 0 ? null : 'ä'.repeat(index),
    // Up to a year apart, forwards and backwards; the broker takes none from the future.
    timestamp: String(NOW - (index % 2 === 0 ? index : 365 - index) * DAY_MS),
    headers: { name, twice: ['1', '2'], empty: '' },
  }));
}

/** As the console consumer prints it. */
function consoleLine({ key, value, timestamp, headers }: ReturnType<typeof messagesOf>[number]): string {
  const printed = `name:${String(headers?.['name'])},twice:1,twice:2,empty:`;
  return [`CreateTime:${timestamp}`, printed, key ?? 'null', value ?? 'null'].join('\t');
}
