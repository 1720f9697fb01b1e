import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { runCli, spawnCli } from '../support/cli.ts';
import { describeKafka, kafkaBrokers } from '../support/describe-kafka.ts';
import { brokenGuarantees, committedBeyond } from '../support/invariants.ts';
import { uniqueName } from '../support/names.ts';
import { sampleEvents } from '../support/sample-users.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { waitFor } from '../support/wait-for.ts';

const EVENTS = 6_000;

/** A service on the topic with a database and a group of its own: a dead member of another group keeps nobody waiting. */
interface Service {
  readonly database: TestDatabase;
  readonly group: string;
  readonly env: Readonly<Record<string, string>>;
}

describeKafka('kill -9 of consume', () => {
  const topic = uniqueName('crash');
  const services: Service[] = [];
  let log: EventLog;

  beforeAll(async () => {
    log = createKafkaEventLog({ brokers: [kafkaBrokers()], clientId: 'test', topic, patience: 'short' });
    const { env } = await openService();
    const input = sampleEvents(EVENTS, 900);
    expect(await runCli(['publish', '--from-file', '-'], { env, input })).toMatchObject({ exitCode: 0 });
  }, 60_000);
  afterAll(async () => {
    await log.close();
    for (const { database } of services) await database.drop();
  });

  async function openService(): Promise<Service> {
    const database = await createTestDatabase();
    const group = uniqueName('group');
    const where = { KAFKA_BROKERS: kafkaBrokers(), KAFKA_TOPIC: topic, KAFKA_GROUP_ID: group };
    const service = { database, group, env: { ...where, DATABASE_URL: database.connectionString } };
    services.push(service);
    expect(await runCli(['init'], { env: service.env })).toMatchObject({ exitCode: 0 });
    return service;
  }

  async function expectGuarantees({ database: { pool, schema }, group }: Service): Promise<void> {
    expect(await brokenGuarantees(pool, schema, ['name', 'email'])).toEqual([]);
    expect(await committedBeyond(pool, schema, log, group)).toEqual([]);
  }

  async function countLedger({ database: { pool, schema } }: Service): Promise<number> {
    const { rows } = await pool.query<{ n: number }>(`select count(*)::int as n from ${schema}.ledger`);
    return rows[0]?.n ?? 0;
  }

  test.each([
    ['before-statement', 5],
    ['after-statement', 5],
    ['before-commit', 1],
    ['after-commit', 1],
  ])(
    'at the point %s leaves table, ledger and position in agreement',
    async (point, times) => {
      const service = await openService();
      const killed = await runCli(['consume', '--batch-size', '100'], {
        env: { ...service.env, USER_EVENTS_FAULT_POINT: `${point}:${String(times)}` },
        timeoutMs: 60_000,
      });
      expect(killed).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
      expect(await countLedger(service)).toBeGreaterThan(0);
      await expectGuarantees(service);
    },
    90_000,
  );

  test('while a statement waits for a lock leaves table, ledger and position in agreement', async () => {
    const service = await openService();
    const { pool } = service.database;
    const holder = await pool.connect();
    try {
      await holder.query('begin; lock table public.users in share mode');
      const cli = await spawnCli(['consume', '--batch-size', '50'], { env: service.env });
      await waitFor(
        async () => {
          const { rows } = await pool.query(
            `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
          );
          return rows.length > 0;
        },
        { timeoutMs: 30_000, describe: () => 'the batch statement to wait for the lock' },
      );
      cli.kill('SIGKILL');
      await cli.ended;
      await holder.query('rollback');
    } finally {
      holder.release();
    }
    await expectGuarantees(service);
  }, 60_000);

  test('at random moments, and a new start each time, executes every event once', async () => {
    const service = await openService();
    for (const share of [0.1, 0.4, 0.7]) {
      const cli = await spawnCli(['consume', '--json', '--batch-size', '40'], { env: service.env });
      const wanted = Math.floor(EVENTS * share);
      await waitFor(async () => (await countLedger(service)) >= wanted, {
        timeoutMs: 60_000,
        describe: () => `${String(wanted)} events in the ledger`,
      });
      cli.kill('SIGKILL');
      await cli.ended;
      await expectGuarantees(service);
    }
    const last = await runCli(['consume', '--until-end'], { env: service.env, timeoutMs: 60_000 });
    expect(last).toMatchObject({ exitCode: 0 });
    await expectGuarantees(service);
    const { rows } = await service.database.pool.query(
      `select count(*)::int as n, count(distinct event_id)::int as ids from user_events.ledger where status = 'applied'`,
    );
    expect(rows).toEqual([{ n: EVENTS, ids: EVENTS }]);
  }, 180_000);
});
