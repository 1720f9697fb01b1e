import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CompressionTypes, type Producer } from 'kafkajs';
import type { LogRecord } from '../../src/domain/record.ts';
import { createKafkaClient, type KafkaClient } from '../../src/log/kafka/client.ts';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { toRecordBatch } from '../../src/log/kafka/fetched-batch.ts';
import { createCluster, type KafkaCluster } from '../../src/log/kafka/private-api.ts';
import { readAll, records, useLogs } from '../conformance/harness.ts';
import { useTeams } from '../conformance/team.ts';
import { describeKafka, kafkaBrokers } from '../support/describe-kafka.ts';
import { uniqueName } from '../support/names.ts';
import { waitFor } from '../support/wait-for.ts';

const CODECS = [
  ['none', CompressionTypes.None],
  ['gzip', CompressionTypes.GZIP],
  ['snappy', CompressionTypes.Snappy],
  ['lz4', CompressionTypes.LZ4],
  ['zstd', CompressionTypes.ZSTD],
] as const;
const TIMES = ['CreateTime', 'LogAppendTime'] as const;
/** Of which a batch of this file takes about half: most fetches begin or end within one. */
const FETCH_BYTES = 900;
/** Written with the record; years from the time of the append. */
const CREATED = Date.UTC(2001, 0, 1);
/** In the order written, the names interleaved. */
const HEADERS = { a: ['1', '3'], b: '2' };
const KAFKA_MS = 60_000;

/** What kafkajs's own decoder, or ours, finds; headers gathered by name, as kafkajs has them. */
const shown = ({ offset, timestamp, key, value, headers }: LogRecord) => ({
  ...{ offset, timestamp, key: key?.toString('latin1'), value: value?.toString() },
  headers: headers.map((header) => `${header.key}=${header.value?.toString() ?? ''}`).sort(),
});

describeKafka('fetches from Kafka, decoded by our codec', () => {
  const newTeam = useTeams();
  const logs = useLogs(({ topic, patience }) =>
    createKafkaEventLog({ brokers: [kafkaBrokers()], clientId: 'test', topic, patience }),
  );
  const clients: KafkaClient[] = [];
  const closers: (() => Promise<void>)[] = [];
  afterAll(async () => {
    await Promise.all(closers.map((close) => close()));
    for (const { sockets } of clients) sockets.close();
  });
  const newClient = (topic: string, fastCodec: boolean) => {
    const settings = {
      brokers: [kafkaBrokers()],
      clientId: 'test',
      topic,
      patience: 'short',
      fastCodec,
    } as const;
    const client = createKafkaClient(settings, 'short');
    clients.push(client);
    return client;
  };
  const openCluster = async (client: KafkaClient, topic: string) => {
    const cluster = createCluster(client.kafka, () => undefined);
    closers.push(() => cluster.disconnect());
    await cluster.connect();
    await cluster.addTargetTopic(topic);
    return cluster;
  };

  /** Everything from `from` on, a fetch of 900 bytes after the other, as many as it takes. */
  async function readSmall(cluster: KafkaCluster, topic: string, from: bigint, isolationLevel: 0 | 1) {
    const [nodeId = ''] = Object.keys(cluster.findLeaderForPartitions(topic, [0]));
    const broker = await cluster.findBroker({ nodeId });
    const found: LogRecord[] = [];
    const ends: bigint[] = [];
    for (let next = from, end = from + 1n; next < end;) {
      const { responses } = await broker.fetch({
        ...{ isolationLevel, maxWaitTime: 0, minBytes: 1, maxBytes: FETCH_BYTES },
        topics: [{ topic, partitions: [{ partition: 0, fetchOffset: String(next), maxBytes: FETCH_BYTES }] }],
      });
      const fetched = responses[0]?.partitions[0];
      if (fetched === undefined) throw new Error('No partition');
      const batch = toRecordBatch(fetched, next);
      end = batch.highWatermark;
      // Whatever was fetched, reading goes on: kafkajs's own consumer would stand still at some of these batches.
      expect(batch.nextOffset).toBeGreaterThan(next);
      next = batch.nextOffset;
      ends.push(next);
      found.push(...batch.records);
    }
    return { found: found.map(shown), ends };
  }

  describe.each(TIMES)('with %s', (time) => {
    let producer: Producer;
    let topic = '';

    beforeAll(async () => {
      topic = uniqueName('fetch');
      const { kafka } = newClient(topic, true);
      const admin = kafka.admin();
      await admin.connect();
      const configEntries = [{ name: 'message.timestamp.type', value: time }];
      await admin.createTopics({
        topics: [{ topic, numPartitions: 1, configEntries }],
        waitForLeaders: true,
      });
      await admin.disconnect();
      producer = kafka.producer({
        transactionalId: uniqueName('txn'),
        idempotent: true,
        maxInFlightRequests: 1,
      });
      closers.push(() => producer.disconnect());
      await producer.connect();
    }, KAFKA_MS);

    /** Three batches in one transaction; of an aborted one the first record's key is that of an abort marker. */
    const transact = async (compression: CompressionTypes, end: 'commit' | 'abort', name: string) => {
      const transaction = await producer.transaction();
      for (const part of ['x', 'y', 'z']) {
        const messages = [0, 1, 2, 3].map((at) => ({
          key: end === 'abort' && part === 'x' && at === 0 ? '\0\0\0\0' : `${name}${part}`,
          value: `${end} ${name} ${part}${at} ${'lorem ipsum '.repeat(5)}`,
          timestamp: String(CREATED + at * 86_400_000),
          headers: HEADERS,
          partition: 0,
        }));
        await transaction.send({ topic, compression, messages });
      }
      await transaction[end]();
    };

    test.each(CODECS)(
      'compressed by %s, are what was committed, or all of it, from wherever they begin',
      async (name, compression) => {
        const before = Date.now();
        for (const end of ['commit', 'abort', 'abort', 'commit', 'abort'] as const)
          await transact(compression, end, name);
        const fast = newClient(topic, true);
        const ours = await openCluster(fast, topic);
        const stock = await openCluster(newClient(topic, false), topic);
        // 12 records and a marker, five times, behind what the other tests of this topic have written.
        const { ends } = await readSmall(ours, topic, 0n, 0);
        const high = ends.at(-1) ?? 0n;
        const start = high - 65n;
        for (const from of [start, start + 1n, start + 13n, start + 14n, start + 30n, start + 64n]) {
          const committed = await readSmall(ours, topic, from, 1);
          const all = await readSmall(ours, topic, from, 0);
          expect(committed).toEqual(await readSmall(stock, topic, from, 1));
          expect(all).toEqual(await readSmall(stock, topic, from, 0));
          expect(committed.found.every(({ value }) => value?.startsWith('commit') === true)).toBe(true);
          expect(all.found.filter(({ value }) => value?.startsWith('commit') === true)).toEqual(
            committed.found,
          );
        }
        const committed = (await readSmall(ours, topic, start, 1)).found;
        expect(committed).toHaveLength(24);
        expect((await readSmall(ours, topic, start, 0)).found).toHaveLength(60);
        expect(committed[0]).toMatchObject({ offset: start, headers: ['a=1', 'a=3', 'b=2'] });
        const times = committed.slice(0, 2).map(({ timestamp }) => timestamp);
        if (time === 'CreateTime') expect(times).toEqual([CREATED, CREATED + 86_400_000]);
        else for (const each of times) expect(each).toBeGreaterThanOrEqual(before);
        expect(fast.codec?.decoded).toBeGreaterThan(10);
      },
      KAFKA_MS,
    );
  });

  test(
    'are what the log reads by and what a group is given, over rebalances too',
    async () => {
      const { log, topic } = await logs.fresh(4);
      await log.append(records(2_000));
      const team = newTeam(uniqueName('group'));
      const one = await team.join('one', log);
      await waitFor(() => team.received.length >= 2_000, { describe: 'the first records' });
      await team.join('two', logs.open(topic));
      await waitFor(() => team.partitionsOf('two').length === 2, { describe: 'two partitions each' });
      await log.append(records(2_000, { from: 2_000 }));
      await waitFor(() => team.received.length >= 4_000, { describe: 'the rest' });
      await one.leave();
      await waitFor(() => team.partitionsOf('two').length === 4, { describe: 'all partitions at one' });
      await log.append(records(100, { from: 4_000 }));
      await waitFor(() => team.received.length >= 4_100, { describe: 'the last' });
      expect(team.violations).toEqual([]);
      expect(team.received).toHaveLength(4_100);
      const read = await readAll(log);
      expect(read).toHaveLength(4_100);
      // Made by our decoder, not by kafkajs's, which has plain objects.
      const isOurs = ({ constructor }: object) => constructor.name === 'WireRecord';
      expect(read.every(isOurs)).toBe(true);
      expect(team.received.every(isOurs)).toBe(true);
    },
    KAFKA_MS,
  );

  test(
    'are shown to a plain consumer of the client too, which gets over all that it is not to see',
    async () => {
      const { log, topic } = await logs.fresh(1);
      const { kafka, codec } = newClient(topic, true);
      const producer = kafka.producer({
        transactionalId: uniqueName('txn'),
        idempotent: true,
        maxInFlightRequests: 1,
      });
      await producer.connect();
      for (const end of ['commit', 'abort', 'commit', 'abort'] as const) {
        const transaction = await producer.transaction();
        const messages = ['\0\0\0\0', 'k'].map((key) => ({
          key,
          value: end,
          headers: HEADERS,
          partition: 0,
        }));
        await transaction.send({ topic, messages });
        await transaction[end]();
      }
      await producer.disconnect();
      const consumer = kafka.consumer({
        groupId: uniqueName('group'),
        maxBytesPerPartition: 200,
        maxWaitTimeInMs: 100,
      });
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      const values: unknown[] = [];
      let last = '';
      consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => (last = payload.lastOffset));
      await consumer.run({
        eachMessage: ({ message }) => {
          values.push([message.key?.toString(), message.value?.toString(), message.headers?.['a']?.length]);
          return Promise.resolve();
        },
      });
      const [marks] = await log.watermarks();
      await waitFor(() => BigInt(last === '' ? -1 : last) + 1n === marks?.high, { describe: 'the end' });
      await consumer.disconnect();
      const pair = ['\0\0\0\0', 'k'].map((key) => [key, 'commit', 2]);
      expect(values).toEqual([...pair, ...pair]);
      expect(codec?.decoded).toBeGreaterThan(2);
    },
    KAFKA_MS,
  );
});
