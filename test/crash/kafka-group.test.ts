import { expect, test } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { expectDrain, expectEnd, useConsumingServices } from '../support/consuming-service.ts';
import { kafkaBrokers } from '../support/describe-kafka.ts';
import { describeEachCodec } from '../support/each-codec.ts';
import { uniqueName } from '../support/names.ts';
import { waitFor } from '../support/wait-for.ts';

/** Another program's consumer: it commits offsets without metadata, as Java's do. */
async function startStranger(topic: string, groupId: string) {
  const consumer = new Kafka({ brokers: [kafkaBrokers()], logLevel: logLevel.NOTHING }).consumer({ groupId });
  let read = 0;
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommitInterval: 50,
    eachMessage: () => {
      read += 1;
      return Promise.resolve();
    },
  });
  return { consumer, read: () => read };
}

describeEachCodec('a consumer group', (codec) => {
  const openService = useConsumingServices({ codec });

  test.concurrent(
    'of two databases is GROUP_SHARED for the second, while the first lives and when it has gone',
    async () => {
      const first = await openService({ events: 200 });
      const consumer = await first.start();
      await first.executed(200);
      const second = await openService({ topic: first.topic });
      const inGroup = ['--json', '-g', first.group];
      const alive = await second.run(['consume', ...inGroup], { exit: 3 });
      expect(alive.stderr).toContain('GROUP_SHARED');
      await first.publish(100, 21);
      await first.executed(300);
      await expectDrain(consumer);
      // Not to be taken over either: it will be back.
      for (const from of ['start', 'committed']) {
        const gone = await second.run(['consume', ...inGroup, '--from', from], { exit: 3 });
        expect(gone.stderr).toContain('GROUP_SHARED');
      }
      await first.expectGuarantees();
      // A start that was refused has bound the second to nothing.
      await second.catchUp(7);
      await second.executed(300);
    },
    120_000,
  );

  test.concurrent(
    'of another program is GROUP_SHARED, while that lives and when it has gone, until it is taken over',
    async () => {
      const service = await openService({ events: 200 });
      const { topic, group, log } = service;
      const stranger = await startStranger(topic, group);
      await waitFor(() => stranger.read() === 200, { timeoutMs: 20_000, describe: 'the other program' });
      await expectEnd(await service.start(), 3, 'GROUP_SHARED');
      await stranger.consumer.disconnect();
      const committed = await log.committed(group);
      expect([...committed.values()].map(({ metadata }) => metadata)).toEqual(['', '', '', '']);
      await expectEnd(await service.start(), 3, 'GROUP_SHARED');
      // Nothing was committed over its place.
      expect(await log.committed(group)).toEqual(committed);
      await service.publish(100, 22);
      await service.run(['consume', '--from', 'committed', '--until-end']);
      await service.executed(100);
      await service.expectGuarantees();
      await service.publish(100, 23);
      await service.catchUp(7);
      await service.executed(200);
    },
    120_000,
  );

  test.concurrent(
    'and a topic belong to their schema: another one is BINDING_MISMATCH',
    async () => {
      const service = await openService({ events: 50 });
      await service.catchUp();
      const other = await openService({ events: 50 });
      for (const args of [
        ['-g', uniqueName('group')],
        ['-t', other.topic],
        ['-t', other.topic, '-g', other.group],
      ]) {
        const refused = await service.run(['consume', '--until-end', '--json', ...args], { exit: 3 });
        expect(refused.stderr).toContain('BINDING_MISMATCH');
      }
      await service.executed(50);
      await service.expectGuarantees();
    },
    120_000,
  );
});
