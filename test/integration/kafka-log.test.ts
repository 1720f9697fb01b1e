import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Kafka, logLevel, type Producer } from 'kafkajs';
import { kafkaClassPath } from '../../scripts/kafka/jars.mjs';
import type { EventLog } from '../../src/log/event-log.ts';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import {
  codeOf,
  errorOf,
  readAll,
  readBatches,
  record,
  records,
  textOf,
  useLogs,
} from '../conformance/harness.ts';
import { useTeams } from '../conformance/team.ts';
import { describeKafka, kafkaBrokers } from '../support/describe-kafka.ts';
import { uniqueName } from '../support/names.ts';
import { waitFor } from '../support/wait-for.ts';

const START = [{ partition: 0, from: 0n }];
/** A JVM has to start. */
const JAVA_MS = 60_000;

describeKafka('the event log in Kafka', () => {
  const newTeam = useTeams();
  const logs = useLogs(({ topic, patience }) =>
    createKafkaEventLog({ brokers: [kafkaBrokers()], clientId: 'test', topic, patience }),
  );
  const plainKafka = () => new Kafka({ brokers: [kafkaBrokers()], logLevel: logLevel.NOTHING });

  describe('transactions', () => {
    const producers: Producer[] = [];
    afterAll(async () => {
      await Promise.all(producers.map((producer) => producer.disconnect()));
    });
    const transactional = async () => {
      const producer = plainKafka().producer({
        transactionalId: uniqueName('txn'),
        idempotent: true,
        maxInFlightRequests: 1,
      });
      producers.push(producer);
      await producer.connect();
      return producer;
    };
    const transact = async (producer: Producer, topic: string, values: readonly string[], key = 'a') => {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: values.map((value) => ({ key, value, partition: 0 })) });
      return transaction;
    };
    /** What a subscription gets, when it has come to the end. */
    const subscribed = async (log: EventLog, end: bigint) => {
      const team = newTeam(uniqueName('group'));
      await team.join('one', log);
      await waitFor(() => team.positions.get(0) === end, { describe: `position ${end}` });
      expect(team.violations).toEqual([]);
      return team.valuesReceived;
    };

    test('give what is committed, not what is aborted, and end behind their markers', async () => {
      const { log, topic } = await logs.fresh(1);
      const producer = await transactional();
      await (await transact(producer, topic, ['yes 1', 'yes 2'])).commit();
      await (await transact(producer, topic, ['no 1', 'no 2'])).abort();
      await (await transact(producer, topic, ['yes 3'])).commit();
      await (await transact(producer, topic, ['no 3'])).abort();
      const [marks] = await log.watermarks();
      expect(marks?.high).toBe(10n);
      const batches = await readBatches(log, START);
      const expected = ['yes 1', 'yes 2', 'yes 3'];
      expect(batches.flatMap((batch) => batch.records).map(textOf)).toEqual(expected);
      expect(batches.at(-1)?.nextOffset).toBe(10n);
      expect(await subscribed(log, 10n)).toEqual(expected);
    });

    test('of which nothing is committed give batches without records, up to the end', async () => {
      const { log, topic } = await logs.fresh(1);
      const producer = await transactional();
      await (await transact(producer, topic, ['no 1', 'no 2'])).abort();
      const batches = await readBatches(log, START);
      expect(batches.map((batch) => ({ records: batch.records, nextOffset: batch.nextOffset }))).toEqual([
        { records: [], nextOffset: 3n },
      ]);
      expect(await readBatches(log, [{ partition: 0, from: 2n }])).toMatchObject([{ nextOffset: 3n }]);
      expect(await subscribed(log, 3n)).toEqual([]);
    });

    test('that were aborted stay hidden, also behind a record whose key looks like their end', async () => {
      const { log, topic } = await logs.fresh(1);
      const producer = await transactional();
      const zeroes = '\0\0\0\0';
      const transaction = await transact(producer, topic, ['no 1'], zeroes);
      const more = ['no 2', 'no 3'].map((value) => ({ key: 'b', value, partition: 0 }));
      await transaction.send({ topic, messages: more });
      await transaction.abort();
      await log.append([record('a', 'yes', { partition: 0 })]);
      expect((await readAll(log)).map(textOf)).toEqual(['yes']);
      expect(await subscribed(log, 5n)).toEqual(['yes']);
    });

    test('of several producers are told apart, from wherever reading begins', async () => {
      const { log, topic } = await logs.fresh(1);
      const [one, two] = [await transactional(), await transactional()];
      const first = await transact(one, topic, ['no 0', 'no 1']);
      const second = await transact(two, topic, ['no 2', 'no 3']);
      await log.append([record('a', 'yes', { partition: 0 })]);
      await first.send({ topic, messages: [{ value: 'no 5', partition: 0 }] });
      await second.send({ topic, messages: [{ value: 'no 6', partition: 0 }] });
      await first.abort();
      await second.abort();
      for (const from of [0n, 1n, 2n, 3n, 4n]) {
        const batches = await readBatches(log, [{ partition: 0, from }]);
        expect(batches.flatMap((batch) => batch.records).map(textOf)).toEqual(['yes']);
      }
      for (const from of [5n, 6n, 7n, 8n]) {
        const batches = await readBatches(log, [{ partition: 0, from }]);
        expect(batches.flatMap((batch) => batch.records)).toEqual([]);
      }
    });

    test('that are open end a read before them; who follows gets them when they are committed', async () => {
      const { log, topic } = await logs.fresh(1);
      await log.append([record('a', 'before', { partition: 0 })]);
      const transaction = await transact(await transactional(), topic, ['in it']);
      await log.append([record('a', 'after', { partition: 0 })]);
      expect((await readAll(log)).map(textOf)).toEqual(['before']);
      const values: string[] = [];
      for await (const batch of logs.open(topic).read(START, { follow: true })) {
        values.push(...batch.records.map(textOf));
        if (values.length === 1) await transaction.commit();
        if (values.length === 3) break;
      }
      expect(values).toEqual(['before', 'in it', 'after']);
    });
  });

  describe('compression by the Java producer', () => {
    let classPath = '';
    beforeAll(async () => {
      classPath = await kafkaClassPath();
    });

    test.each(['gzip', 'snappy', 'lz4', 'zstd'])(
      '%s is read, a batch of several megabytes too',
      async (codec) => {
        const { log, topic } = await logs.fresh(1);
        const lines = Array.from(
          { length: 30_000 },
          (_, index) => `key ${index}\t${'x'.repeat(100)} ${index}`,
        );
        const options = [
          '--bootstrap-server',
          kafkaBrokers(),
          '--topic',
          topic,
          '--compression-codec',
          codec,
        ];
        // Batches as large as the broker takes: compressed, thousands of records fit into one.
        const batching = ['batch.size=10000000', 'linger.ms=1000', 'buffer.memory=64000000'];
        const properties = batching.flatMap((property) => ['--command-property', property]);
        const keyed = ['--reader-property', 'parse.key=true'];
        const producing = promisify(execFile)('java', [
          ...['-cp', classPath, 'org.apache.kafka.tools.ConsoleProducer'],
          ...[...options, ...properties, ...keyed],
        ]);
        producing.child.stdin?.end(`${lines.join('\n')}\n`);
        await producing;
        const found = await readAll(log);
        expect(found.map(({ key, value }) => `${key?.toString()}\t${value?.toString()}`)).toEqual(lines);
      },
      JAVA_MS,
    );
  });

  describe('a topic of smaller batches', () => {
    test('takes in pieces what is too large at once, and names the record that is too large by itself', async () => {
      const topic = uniqueName('small');
      const admin = plainKafka().admin();
      await admin.connect();
      const configEntries = [{ name: 'max.message.bytes', value: '20000' }];
      await admin.createTopics({ topics: [{ topic, numPartitions: 2, configEntries }] });
      await admin.disconnect();
      const log = logs.open(topic);
      const small = records(1_000, { keys: 50 });
      expect(await log.append(small)).toHaveLength(1_000);
      const found = await readAll(log);
      expect(found.map(textOf).toSorted()).toEqual(small.map(textOf).toSorted());

      const input = [record('a', 'fits'), record('a', 'x'.repeat(30_000)), record('a', 'fits too')];
      const error = await errorOf(log.append(input));
      expect(error).toMatchObject({ code: 'RECORD_TOO_LARGE', facts: { index: 1, appended: 1 } });
      expect(await codeOf(log.append([record('a', 'x'.repeat(30_000))]))).toBe('RECORD_TOO_LARGE');
      expect(await log.append([record('a', 'goes on')])).toHaveLength(1);
    });
  });
});
