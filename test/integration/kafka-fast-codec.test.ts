import { afterAll, expect, test } from '@jest/globals';
import { createKafkaClient, type KafkaClient } from '../../src/log/kafka/client.ts';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { readAll, textOf, useLogs } from '../conformance/harness.ts';
import { describeKafka, kafkaBrokers } from '../support/describe-kafka.ts';
import { uniqueName } from '../support/names.ts';

describeKafka('the fast codec in a client of kafkajs', () => {
  const logs = useLogs(({ topic, patience }) =>
    createKafkaEventLog({ brokers: [kafkaBrokers()], clientId: 'test', topic, patience }),
  );
  const clients: KafkaClient[] = [];
  afterAll(() => {
    for (const { sockets } of clients) sockets.close();
  });
  const newClient = (topic: string, fastCodec?: boolean) => {
    const settings = { brokers: [kafkaBrokers()], clientId: 'test', topic, patience: 'short' } as const;
    const client = createKafkaClient(
      { ...settings, ...(fastCodec === undefined ? {} : { fastCodec }) },
      'short',
    );
    clients.push(client);
    return client;
  };

  test('encodes what its producers send, also in transactions that commit and abort', async () => {
    const { log, topic } = await logs.fresh(1);
    const { kafka, codec } = newClient(topic);
    const plain = kafka.producer({ createPartitioner: () => () => 0 });
    await plain.connect();
    await plain.send({ topic, messages: [{ value: 'plain' }] });
    await plain.disconnect();
    expect(codec).toEqual({ encoded: 1, decoded: 0 });

    const transactional = kafka.producer({
      transactionalId: uniqueName('txn'),
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: () => () => 0,
    });
    await transactional.connect();
    for (const [value, end] of [
      ['no', 'abort'],
      ['yes', 'commit'],
      ['no', 'abort'],
    ] as const) {
      const transaction = await transactional.transaction();
      await transaction.send({ topic, messages: [{ value, headers: { a: ['1', '2'] } }] });
      await transaction[end]();
    }
    await transactional.disconnect();
    expect(codec?.encoded).toBe(4);
    expect((await readAll(log)).map(textOf)).toEqual(['plain', 'yes']);
  });

  test('is not there where it is turned off', async () => {
    const { topic } = await logs.fresh(1);
    const { kafka, codec } = newClient(topic, false);
    expect(codec).toBeNull();
    const producer = kafka.producer({ createPartitioner: () => () => 0 });
    await producer.connect();
    await producer.send({ topic, messages: [{ value: 'stock' }] });
    await producer.disconnect();
  });
});
