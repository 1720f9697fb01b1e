import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { kafkaClassPath } from '../../scripts/kafka/jars.mjs';
import { partitionFor } from '../../src/domain/partitioner.ts';
import type { LogRecord } from '../../src/domain/record.ts';
import { createKafkaClient, type KafkaClient } from '../../src/log/kafka/client.ts';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { readAll, useLogs } from '../conformance/harness.ts';
import { describeKafka, kafkaBrokers } from '../support/describe-kafka.ts';
import { COMPRESSIONS, writeEveryCompression, type WrittenMessage } from '../support/every-compression.ts';

/** A JVM has to start, on two cores that others use too. */
const JAVA_MS = 90_000;
const MEGABYTES = 64;

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
      const expected = (await writeEveryCompression(client, topic)).map(consoleLine);
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
    'writes what we decode as kafkajs does: with headers, without keys and values, in transactions',
    async () => {
      const { log, topic } = await logs.fresh(3);
      const lines = Array.from({ length: 400 }, (_, at) =>
        [
          at % 5 === 0 ? 'NULL' : `trace:${at},trace:ö${at % 7},empty:`,
          at % 3 === 0 ? 'NULL' : `key ${at % 20}`,
          at % 7 === 0 ? 'NULL' : `wert ${'ß'.repeat(at)}`,
        ].join('\t'),
      );
      const reading = ['parse.key=true', 'parse.headers=true', 'null.marker=NULL'];
      const console = reading.flatMap((property) => ['--reader-property', property]);
      const load = ['--num-records', '3000', '--record-size', '120', '--throughput', '-1'];
      const transactions = ['--transactional-id', topic, '--transaction-duration-ms', '20'];
      await Promise.all([
        java('ConsoleProducer', ['--topic', topic, ...console], `${lines.join('\n')}\n`),
        java('ProducerPerformance', ['--topic', topic, ...load, ...transactions]),
      ]);
      const stock = createKafkaEventLog({
        ...{ brokers: [kafkaBrokers()], clientId: 'test', topic, patience: 'short', fastCodec: false },
      });
      const [ours, theirs] = [await readAll(log), await readAll(stock)];
      await stock.close();
      expect(ours).toHaveLength(3_400);
      expect(new Set(ours.map(({ constructor }) => constructor.name))).toEqual(new Set(['WireRecord']));
      expect(new Set(theirs.map(({ constructor }) => constructor.name))).toEqual(new Set(['Object']));
      expect(inOrder(ours)).toEqual(inOrder(theirs));
      const written = ours.filter(({ key, headers, value }) => {
        return key !== null || headers.length > 0 || value?.length !== 120;
      });
      expect(written.map(readerLine).toSorted()).toEqual(lines.toSorted());
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

/** By partition and offset, as plain objects. */
function inOrder(found: readonly LogRecord[]): readonly LogRecord[] {
  return found
    .map(({ partition, offset, timestamp, key, value, headers }) => {
      return { partition, offset, timestamp, key, value, headers: [...headers] };
    })
    .sort((a, b) => a.partition - b.partition || Number(a.offset - b.offset));
}

/** As the console producer reads it. */
function readerLine({ key, value, headers }: LogRecord): string {
  const named = headers.map((header) => `${header.key}:${String(header.value)}`).join(',');
  return [named === '' ? 'NULL' : named, key?.toString() ?? 'NULL', value?.toString() ?? 'NULL'].join('\t');
}

/** As the console consumer prints it. */
function consoleLine({ key, value, timestamp, headers }: WrittenMessage): string {
  const printed = `name:${headers.name},twice:1,twice:2,empty:`;
  return [`CreateTime:${timestamp}`, printed, key ?? 'null', value ?? 'null'].join('\t');
}
