import { expect, test } from '@jest/globals';
import { createKafkaClient } from '../../src/log/kafka/client.ts';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { useLogs } from '../conformance/harness.ts';
import { kafkaBrokers } from '../support/describe-kafka.ts';
import { COMPRESSIONS, writeEveryCompression } from '../support/every-compression.ts';
import { describeKcat, kcatLines } from '../support/kcat.ts';

describeKcat('kcat', () => {
  const logs = useLogs(({ topic, patience }) =>
    createKafkaEventLog({ brokers: [kafkaBrokers()], clientId: 'test', topic, patience }),
  );

  test('reads what we write with every compression, in transactions that commit and abort', async () => {
    const { topic } = await logs.fresh(1);
    const settings = { brokers: [kafkaBrokers()], clientId: 'test', topic, patience: 'short' } as const;
    const client = createKafkaClient(settings, 'short');
    const written = await writeEveryCompression(client, topic);
    client.sockets.close();
    expect(client.codec?.encoded).toBe(2 * COMPRESSIONS.length);
    const read = (await kcatLines(kafkaBrokers(), topic, ['-J'])).map((line): unknown => JSON.parse(line));
    expect(read).toMatchObject(
      written.map(({ key, value, timestamp, headers: { name } }) => ({
        ...{ topic, partition: 0, tstype: 'create', ts: Number(timestamp), key, payload: value },
        headers: ['name', name, 'twice', '1', 'twice', '2', 'empty', ''],
      })),
    );
  });
});
