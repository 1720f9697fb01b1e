import { afterAll, expect } from '@jest/globals';
import type { EventLog } from '../../src/log/event-log.ts';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { spawnCli, type RunningCli } from './cli.ts';
import { kafkaBrokers } from './describe-kafka.ts';
import type { Codec } from './each-codec.ts';
import { brokenGuarantees, committedBeyond } from './invariants.ts';
import { uniqueName } from './names.ts';
import { sampleRecords } from './sample-users.ts';
import { openService, type Service, type ServiceOptions } from './services-under-test.ts';
import type { TestDatabase } from './test-database.ts';
import { waitFor } from './wait-for.ts';

/** A topic, what is appended to it without the CLI, and a service that consumes it by the CLI. */
export interface ConsumingService extends Service {
  readonly topic: string;
  readonly log: EventLog;
  /** Starts a consumer; its output is JSON lines. */
  start(args?: readonly string[]): Promise<RunningCli>;
  /** Appends so many sample events of users of their own, in pieces: it can be waited for or run beside faults. */
  publish(events: number, seed?: number): Promise<void>;
  /** Waits until so many events are in the ledger. */
  executed(events: number): Promise<void>;
  /** I1 to I5 hold. */
  expectGuarantees(): Promise<void>;
}

export interface ConsumingServiceOptions extends Partial<ServiceOptions> {
  readonly partitions?: number;
  /** Appended before it returns. */
  readonly events?: number;
  /** Of the service and of what appends to its topic. Without it ours. */
  readonly codec?: Codec;
}

const PIECE = 250;
const EXECUTED_MS = 60_000;

/** How many events a ledger holds. */
export async function countLedger({ pool, schema }: TestDatabase): Promise<number> {
  const { rows } = await pool.query<{ n: number }>(`select count(*)::int as n from ${schema}.ledger`);
  return rows[0]?.n ?? 0;
}

/** Services of the tests of one block, with `all` unless said otherwise; what they use is closed and dropped after it. */
export function useConsumingServices(
  all: ConsumingServiceOptions = {},
): (options?: ConsumingServiceOptions) => Promise<ConsumingService> {
  const opened: ConsumingService[] = [];
  afterAll(async () => {
    await Promise.all(opened.map(({ log }) => log.close()));
    await Promise.all(opened.map(({ database }) => database.drop()));
  });
  return async (given = {}) => {
    const options = { ...all, ...given };
    const { topic = uniqueName('topic'), brokers = kafkaBrokers(), partitions = 4, events = 0 } = options;
    const { codec = 'on' } = options;
    const settings = { brokers: [brokers], clientId: 'test', topic, patience: 'long' } as const;
    const log = createKafkaEventLog({ ...settings, fastCodec: codec === 'on' });
    await log.createTopic(partitions);
    const env = { USER_EVENTS_FAST_CODEC: codec, ...options.env };
    const service = await openService({ ...options, topic, brokers, env });
    const consuming = withLog(service, topic, log);
    opened.push(consuming);
    await consuming.publish(events);
    return consuming;
  };
}

function withLog(service: Service, topic: string, log: EventLog): ConsumingService {
  const { database, group } = service;
  return {
    ...service,
    topic,
    log,
    start: (args = []) => spawnCli(['consume', '--json', ...args], { env: service.env }),
    async publish(events, seed) {
      if (events === 0) return;
      const records = sampleRecords(events, Math.ceil(events / 4), seed);
      for (let at = 0; at < events; at += PIECE) await log.append(records.slice(at, at + PIECE));
    },
    async executed(events) {
      let found = 0;
      await waitFor(async () => (found = await countLedger(database)) >= events, {
        timeoutMs: EXECUTED_MS,
        describe: () => `${String(events)} events in the ledger of ${String(found)}`,
      });
      expect(await countLedger(database)).toBe(events);
    },
    async expectGuarantees() {
      expect(await brokenGuarantees(database.pool, database.schema, ['name', 'email'])).toEqual([]);
      expect(await committedBeyond(database.pool, database.schema, log, group)).toEqual([]);
    },
  };
}

/** The consumer ends by itself, with the exit code and the error's code on stderr. */
export async function expectEnd(consumer: RunningCli, exitCode: number, code: string): Promise<void> {
  expect(await consumer.ended).toMatchObject({ exitCode, stderr: expect.stringContaining(`"${code}"`) });
}

/** Stops the consumer as its supervisor would, and checks that it drained. */
export async function expectDrain(consumer: RunningCli): Promise<void> {
  consumer.kill('SIGTERM');
  expect(await consumer.ended).toMatchObject({ exitCode: 0 });
}
