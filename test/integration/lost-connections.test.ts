import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { EventLog } from '../../src/log/event-log.ts';
import { createPostgresEventLog } from '../../src/log/postgres/event-log.ts';
import { migrateLog } from '../../src/postgres/migrate.ts';
import { writeEnvelope } from '../../src/domain/write-envelope.ts';
import { prepareUsers, readUsers } from '../support/apply-harness.ts';
import {
  startConsumer,
  userRecord,
  waitUntilDecided,
  type ConsumerSettings,
  type InProcessConsumer,
} from '../support/consumer-harness.ts';
import { brokenGuarantees, committedBeyond } from '../support/invariants.ts';
import { uniqueName } from '../support/names.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { useTestDatabase } from '../support/test-database.ts';
import { waitFor } from '../support/wait-for.ts';

const LOG_SCHEMA = 'user_events_log';
/** Quick looks, so that the tests need not wait as people may. */
const WATCH = {
  lookAfterMs: 150,
  lookEveryMs: 150,
  busyAfterMs: 300,
  cutAfterMs: 900,
  askWithinMs: 300,
  endWithinMs: 1_500,
};

jest.setTimeout(60_000);
const database = useTestDatabase();
let log: EventLog;
let proxy: TcpProxy;
let consumer: InProcessConsumer | undefined;

beforeAll(async () => {
  await migrateLog({ connectionString: database().connectionString, schema: LOG_SCHEMA });
});
beforeEach(async () => {
  const { pool, schema, connectionString } = database();
  await pool.query('drop table if exists public.users cascade');
  await pool.query(`truncate ${schema}.ledger, ${schema}.position, ${schema}.attempt, ${schema}.binding`);
  await prepareUsers(database());
  const topic = uniqueName('topic');
  log = createPostgresEventLog({ connectionString, schema: LOG_SCHEMA, topic, patience: 'short' });
  await log.createTopic(1);
  const url = new URL(connectionString);
  proxy = await startTcpProxy({ host: url.hostname, port: Number(url.port) });
});
afterEach(async () => {
  proxy.heal();
  await consumer?.stop().catch(() => undefined);
  consumer = undefined;
  await proxy.close();
  await log.close();
});

/** A consumer whose way to its database is the proxy; the log is reached directly. */
function consumeThroughProxy(settings: ConsumerSettings = {}): InProcessConsumer {
  const url = new URL(database().connectionString);
  url.host = `127.0.0.1:${String(proxy.port)}`;
  consumer = startConsumer(log, database(), { connectionString: url.href, watch: WATCH, ...settings });
  return consumer;
}

async function expectGuarantees({ group }: InProcessConsumer): Promise<void> {
  const { pool, schema } = database();
  expect(await brokenGuarantees(pool, schema, ['name', 'age'])).toEqual([]);
  expect(await committedBeyond(pool, schema, log, group)).toEqual([]);
}

/** Publishes creates of users `from` to `to`, and waits until they are decided. */
async function publishUsers(from: number, to: number): Promise<void> {
  const numbers = Array.from({ length: to - from }, (_, at) => from + at);
  await log.append(numbers.map((n) => userRecord('create', `u${String(n)}`, { name: 'N', age: n })));
}

const countUsers = async (): Promise<number> => Object.keys(await readUsers(database())).length;

describe('a connection that is cut', () => {
  test.each(['before', 'after'] as const)(
    '%s the batch statement was answered: what it did is known by the position, and nothing is done twice',
    async (moment) => {
      const running = consumeThroughProxy();
      await publishUsers(0, 5);
      await waitUntilDecided(log, database(), running);
      proxy.cutAt('user-events apply-batch', moment);
      await publishUsers(5, 9);
      await waitUntilDecided(log, database(), running);
      await waitFor(() => running.troubles.at(-1) === null, { describe: 'the trouble to be over' });
      expect(running.troubles).toContainEqual(expect.stringMatching(/^database: /));
      expect(await countUsers()).toBe(9);
      await expectGuarantees(running);
      // Counted once, whether or not its answer was heard.
      expect(await running.stop()).toMatchObject({ events: 9, applied: 9, duplicates: 0 });
    },
  );

  test.each(['before', 'after'] as const)(
    '%s the COMMIT of a rollback was answered: it is executed once',
    async (moment) => {
      const running = consumeThroughProxy();
      await publishUsers(0, 1);
      const change = userRecord('update', 'u0', { name: 'Changed' });
      await log.append([change]);
      await waitUntilDecided(log, database(), running);
      const target = change.headers.find(({ key }) => key === 'ce_id')?.value?.toString() ?? '';
      proxy.cutAt('commit', moment);
      const terms = { mode: 'only', upTo: null, force: false, reason: null, operator: 'tester' } as const;
      const eventId = '018f3f1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f';
      const event = { kind: 'rollback', eventId, userId: 'u0', partition: 0, rules: 'strict' } as const;
      await log.append([writeEnvelope({ ...event, ...terms, targets: [target] }, '/test')]);
      await waitUntilDecided(log, database(), running);
      await waitFor(() => running.troubles.at(-1) === null, { describe: 'the trouble to be over' });
      expect(await readUsers(database())).toMatchObject({ u0: { name: 'N' } });
      const { pool, schema } = database();
      const { rows } = await pool.query(
        `select status, count(*)::int as n from ${schema}.ledger group by 1 order by 1`,
      );
      expect(rows).toEqual([
        { status: 'applied', n: 2 },
        { status: 'rolled_back', n: 1 },
      ]);
      await expectGuarantees(running);
      expect(await running.stop()).toMatchObject({ events: 3, rollbacks: 1, duplicates: 0 });
    },
  );
});

test('a connection that is cut while the ends of the log are noted does not keep --until-end from reaching them', async () => {
  await publishUsers(0, 5);
  proxy.cutAt('position order by partition', 'before');
  const running = consumeThroughProxy({ isUntilEnd: true });
  expect(await running.ended).toMatchObject({ endedBy: 'end', applied: 5 });
  expect(running.troubles).toContainEqual(expect.stringMatching(/^database: /));
});

describe('a database that says nothing any more', () => {
  test('is told of, its connections are cut after a while, and it goes on when it is back', async () => {
    const running = consumeThroughProxy();
    await publishUsers(0, 5);
    await waitUntilDecided(log, database(), running);
    proxy.swallow();
    await publishUsers(5, 9);
    await waitFor(() => running.statements.some(({ kind }) => kind === 'silent'), {
      describe: 'the silence to be told of',
    });
    await waitFor(() => running.troubles.some((trouble) => trouble?.startsWith('database')), {
      describe: 'the connection to be cut',
    });
    proxy.heal();
    await waitUntilDecided(log, database(), running);
    await waitFor(() => running.troubles.at(-1) === null, { describe: 'the trouble to be over' });
    expect(await countUsers()).toBe(9);
    await expectGuarantees(running);
    expect(await running.stop()).toMatchObject({ events: 9, applied: 9 });
  });

  test('does not keep the consumer from ending at SIGTERM', async () => {
    const running = consumeThroughProxy({ watch: { ...WATCH, cutAfterMs: 600_000 } });
    await publishUsers(0, 5);
    await waitUntilDecided(log, database(), running);
    proxy.swallow();
    await publishUsers(5, 9);
    await waitFor(() => running.statements.length > 0, { describe: 'the silence to be told of' });
    const asked = performance.now();
    expect(await running.stop()).toMatchObject({ endedBy: 'signal', applied: 5 });
    expect(performance.now() - asked).toBeLessThan(5_000);
    proxy.heal();
    await expectGuarantees(running);
  });

  test('on one connection alone, while others are answered: that one is cut and what it did is settled', async () => {
    const running = consumeThroughProxy({ watch: { ...WATCH, cutAfterMs: 600_000 } });
    await publishUsers(0, 5);
    await waitUntilDecided(log, database(), running);
    proxy.cutAt('user-events apply-batch', 'silence');
    await publishUsers(5, 9);
    await waitFor(() => running.troubles.at(-1) === null, { describe: 'the loss to be noticed and over' });
    expect(await countUsers()).toBe(9);
    await expectGuarantees(running);
    expect(await running.stop()).toMatchObject({ events: 9, applied: 9, duplicates: 0 });
  });
});

describe('a statement that waits for a lock', () => {
  test('is told of and left alone, however long it takes', async () => {
    const running = consumeThroughProxy();
    await publishUsers(0, 5);
    await waitUntilDecided(log, database(), running);
    const holder = await database().pool.connect();
    try {
      await holder.query('begin; lock table public.users in share mode');
      await publishUsers(5, 9);
      await waitFor(() => running.statements.some(({ kind }) => kind === 'busy'), {
        describe: 'the waiting to be told of',
      });
      // Longer than a silent server would be waited for.
      await waitFor(async () => (await secondsWaiting()) > (2 * WATCH.cutAfterMs) / 1000, {
        describe: 'the same statement to wait on',
      });
      expect(running.troubles.filter((trouble) => trouble !== null)).toEqual([]);
      await holder.query('rollback');
    } finally {
      holder.release();
    }
    await waitUntilDecided(log, database(), running);
    await waitFor(() => running.statements.at(-1)?.kind === 'over', { describe: 'the waiting to be over' });
    await expectGuarantees(running);
    expect(await running.stop()).toMatchObject({ events: 9, applied: 9 });
  });

  test('is given up soon after SIGTERM, and the server lets go of it', async () => {
    const running = consumeThroughProxy();
    await publishUsers(0, 5);
    await waitUntilDecided(log, database(), running);
    const holder = await database().pool.connect();
    try {
      await holder.query('begin; lock table public.users in share mode');
      await publishUsers(5, 9);
      await waitFor(async () => (await secondsWaiting()) > 0, { describe: 'the statement to wait' });
      expect(await running.stop()).toMatchObject({ endedBy: 'signal', applied: 5 });
      await waitFor(async () => (await secondsWaiting()) === 0, {
        describe: 'the server to notice that the client is gone',
      });
    } finally {
      await holder.query('rollback');
      holder.release();
    }
    await expectGuarantees(running);
  });

  /** How long the longest statement waits for a lock, s; 0 where none does. */
  async function secondsWaiting(): Promise<number> {
    const { rows } = await database().pool.query<{ s: number }>(
      `select coalesce(max(extract(epoch from clock_timestamp() - query_start)), 0)::float8 as s from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rows[0]?.s ?? 0;
  }
});
