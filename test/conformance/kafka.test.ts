import { startKafka } from '../../scripts/kafka/broker.mjs';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { describeKafka, kafkaBrokers } from '../support/describe-kafka.ts';
import { uniqueName } from '../support/names.ts';
import { eventLogConformance } from './event-log-suite.ts';
import type { LogOptions, OwnLog } from './harness.ts';

const create = (brokers: string, { topic, patience }: LogOptions) =>
  createKafkaEventLog({ brokers: [brokers], clientId: 'conformance', topic, patience });

async function startOwnLog(): Promise<OwnLog> {
  const kafka = await startKafka({ name: uniqueName('conformance'), ownerPid: process.pid });
  return {
    create: (options) => create(kafka.brokers, options),
    takeAway: () => kafka.kill9(),
    bringBack: () => kafka.restart(),
    remove: () => kafka.remove(),
  };
}

describeKafka('Kafka', () => {
  eventLogConformance('as an event log', {
    create: (options) => create(kafkaBrokers(), options),
    startOwnLog,
  });
});
