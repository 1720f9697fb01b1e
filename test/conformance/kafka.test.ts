import { startKafka } from '../../scripts/kafka/broker.mjs';
import type { EventLog } from '../../src/log/event-log.ts';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { describeKafka, kafkaBrokers } from '../support/describe-kafka.ts';
import { uniqueName } from '../support/names.ts';
import { eventLogConformance } from './event-log-suite.ts';
import type { LogOptions, OwnLog } from './harness.ts';

/** With our own codec of records, as it is unless it is turned off, and with kafkajs's. */
const CODECS = [
  ['as an event log', true],
  ["as an event log with kafkajs's codec", false],
] as const;

describeKafka('Kafka', () => {
  for (const [name, fastCodec] of CODECS) {
    const create = (brokers: string, { topic, patience }: LogOptions) =>
      createKafkaEventLog({ brokers: [brokers], clientId: 'conformance', topic, patience, fastCodec });
    eventLogConformance(name, {
      gathersHeaders: !fastCodec,
      create: (options) => create(kafkaBrokers(), options),
      startOwnLog: () => startOwnLog(create),
    });
  }
});

async function startOwnLog(create: (brokers: string, options: LogOptions) => EventLog): Promise<OwnLog> {
  const kafka = await startKafka({ name: uniqueName('conformance'), ownerPid: process.pid });
  return {
    create: (options) => create(kafka.brokers, options),
    takeAway: () => kafka.kill9(),
    bringBack: () => kafka.restart(),
    remove: () => kafka.remove(),
  };
}
