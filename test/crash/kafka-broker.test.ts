import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Kafka } from '../../scripts/kafka/broker.mjs';
import { countLedger, expectDrain, useConsumingServices } from '../support/consuming-service.ts';
import { describePrivateKafka, startPrivateKafka } from '../support/describe-kafka.ts';
import { waitFor } from '../support/wait-for.ts';

const EVENTS = 5_000;

describePrivateKafka('a broker that goes away', () => {
  const openService = useConsumingServices();
  let kafka: Kafka;

  beforeAll(async () => {
    kafka = await startPrivateKafka();
  }, 60_000);
  afterAll(() => kafka.remove());

  test('before the consumer starts, and twice under load by kill -9, loses, repeats and reorders nothing', async () => {
    const service = await openService({ brokers: kafka.brokers, events: 200 });
    await kafka.stop();
    const consumer = await service.start(['--batch-size', '50']);
    await consumer.waitForOutput(/does not answer yet/, { stream: 'stderr' });
    await kafka.restart();
    await service.executed(200);
    const publishing = service.publish(EVENTS, 41);
    for (const wanted of [1_000, 3_000]) {
      await waitFor(async () => (await countLedger(service.database)) >= wanted, {
        timeoutMs: 60_000,
        describe: () => `${String(wanted)} events in the ledger`,
      });
      await kafka.kill9();
      await kafka.restart();
    }
    await publishing;
    await service.executed(EVENTS + 200);
    await service.expectGuarantees();
    await expectDrain(consumer);
    await service.expectGuarantees();
    // The log knows how far the group is.
    const committed = [...(await service.log.committed(service.group)).values()];
    const marks = await service.log.watermarks();
    expect(committed.map(({ offset }) => offset)).toEqual(marks.map(({ high }) => high));
  }, 150_000);
});
