import { describeKafka } from '../support/describe-kafka.ts';
import { eventLogConformance } from './event-log-suite.ts';
import { kafkaFactory } from './kafka-factory.ts';

describeKafka('Kafka', () => {
  eventLogConformance("as an event log, with kafkajs's own codec", kafkaFactory(false));
});
