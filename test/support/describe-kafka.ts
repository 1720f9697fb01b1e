import { describe } from '@jest/globals';
import { startKafka, type Kafka } from '../../scripts/kafka/broker.mjs';
import { uniqueName } from './names.ts';
import { NEEDS_KAFKA } from './needs-kafka.mjs';

/**
 * A `describe` whose tests need the run's Kafka broker. Without one the block is skipped and named in the last lines
 * of the run (and that is a failure where CI is set). Call `kafkaBrokers()` within its tests and hooks only.
 */
export function describeKafka(title: string, tests: () => void): void {
  describeIf(process.env['KAFKA_BROKERS'] !== undefined, title, tests);
}

/** The same for tests that stop, kill or configure a broker: one of their own, from `startPrivateKafka`. */
export function describePrivateKafka(title: string, tests: () => void): void {
  describeIf(process.env['TEST_KAFKA_MISSING'] === undefined, title, tests);
}

/** The broker of this run, as in KAFKA_BROKERS: `host:port`. */
export function kafkaBrokers(): string {
  const brokers = process.env['KAFKA_BROKERS'];
  if (brokers === undefined) throw new Error('kafkaBrokers() is for the tests and hooks of describeKafka');
  return brokers;
}

/**
 * Starts a broker for one test file (2 to 5 s). The caller calls `remove()`; where it cannot any more, the next run
 * does. `settings` are broker settings.
 */
export function startPrivateKafka(settings: Readonly<Record<string, string>> = {}): Promise<Kafka> {
  return startKafka({ name: uniqueName('private'), settings, ownerPid: process.pid });
}

function describeIf(isThere: boolean, title: string, tests: () => void): void {
  if (isThere) describe(title, tests);
  else describe.skip(`${title} ${NEEDS_KAFKA}`, tests);
}
