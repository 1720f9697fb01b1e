import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Kafka } from '../../scripts/kafka/broker.mjs';
import {
  countLedger,
  expectDrain,
  useConsumingServices,
  type ConsumingService,
} from '../support/consuming-service.ts';
import { describePrivateKafka, startPrivateKafka } from '../support/describe-kafka.ts';
import { CODECS } from '../support/each-codec.ts';
import { waitFor } from '../support/wait-for.ts';

const EVENTS = 5_000;

describePrivateKafka('a broker that goes away, with either codec', () => {
  const openService = useConsumingServices();
  let kafka: Kafka;

  beforeAll(async () => {
    kafka = await startPrivateKafka();
  }, 60_000);
  afterAll(() => kafka.remove());

  test('before the consumer starts, and twice under load by kill -9, loses, repeats and reorders nothing', async () => {
    // Side by side, since it is one broker that goes away for both.
    const services = await Promise.all(
      CODECS.map((codec) => openService({ brokers: kafka.brokers, events: 200, codec })),
    );
    await kafka.stop();
    const consumers = await Promise.all(services.map((service) => service.start(['--batch-size', '50'])));
    for (const consumer of consumers) {
      await consumer.waitForOutput(/does not answer yet/, { stream: 'stderr' });
    }
    await kafka.restart();
    await Promise.all(services.map((service) => service.executed(200)));
    const publishing = Promise.all(services.map((service) => service.publish(EVENTS, 41)));
    for (const wanted of [1_000, 3_000]) {
      await Promise.all(services.map((service) => untilDecided(service, wanted)));
      await kafka.kill9();
      await kafka.restart();
    }
    await publishing;
    await Promise.all(services.map((service) => service.executed(EVENTS + 200)));
    await Promise.all(services.map((service) => service.expectGuarantees()));
    await Promise.all(consumers.map(expectDrain));
    for (const service of services) {
      await service.expectGuarantees();
      // The log knows how far the group is.
      const committed = [...(await service.log.committed(service.group)).values()];
      const marks = await service.log.watermarks();
      expect(committed.map(({ offset }) => offset)).toEqual(marks.map(({ high }) => high));
    }
  }, 150_000);
});

async function untilDecided({ database }: ConsumingService, wanted: number): Promise<void> {
  await waitFor(async () => (await countLedger(database)) >= wanted, {
    timeoutMs: 60_000,
    describe: () => `${String(wanted)} events in the ledger`,
  });
}
