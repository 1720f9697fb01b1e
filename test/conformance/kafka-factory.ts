import { startKafka } from '../../scripts/kafka/broker.mjs';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { kafkaBrokers } from '../support/describe-kafka.ts';
import { uniqueName } from '../support/names.ts';
import type { EventLogFactory, LogOptions } from './harness.ts';

/** The log in Kafka with our record codec, or with the one of kafkajs. */
export function kafkaFactory(fastCodec: boolean): EventLogFactory {
  const create = (brokers: string, { topic, patience }: LogOptions) =>
    createKafkaEventLog({ brokers: [brokers], clientId: 'conformance', topic, patience, fastCodec });
  return {
    gathersHeaders: !fastCodec,
    create: (options) => create(kafkaBrokers(), options),
    async startOwnLog() {
      const kafka = await startKafka({ name: uniqueName('conformance'), ownerPid: process.pid });
      return {
        create: (options) => create(kafka.brokers, options),
        takeAway: () => kafka.kill9(),
        bringBack: () => kafka.restart(),
        remove: () => kafka.remove(),
      };
    },
  };
}
