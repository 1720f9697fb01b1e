import { expect, test } from '@jest/globals';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { header, record, useLogs } from '../conformance/harness.ts';
import { runCli } from '../support/cli.ts';
import { describeKafka, kafkaBrokers } from '../support/describe-kafka.ts';

describeKafka('the built CLI', () => {
  const logs = useLogs(({ topic, patience }) =>
    createKafkaEventLog({ brokers: [kafkaBrokers()], clientId: 'test', topic, patience }),
  );

  // kafkajs gathers headers by name: by their order one sees whose codec was at work.
  test.each([
    ['with our codec', {}, ['a', 'b', 'a']],
    ["with kafkajs's where ours is turned off", { USER_EVENTS_FAST_CODEC: 'off' }, ['a', 'a', 'b']],
  ])('reads records %s', async (_, codec, names) => {
    const { log, topic } = await logs.fresh(1);
    await log.append([record('k', '{}', { headers: ['a', 'b', 'a'].map((name) => header(name, '1')) })]);
    const env = { KAFKA_BROKERS: kafkaBrokers(), KAFKA_TOPIC: topic, ...codec };
    const { exitCode, stdout, stderr } = await runCli(['log', '--json'], { env });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ headers: names.map((key) => ({ key, value: '1' })) });
  });
});
