import { afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import type { EventLog } from '../../src/log/event-log.ts';
import { createPostgresEventLog } from '../../src/log/postgres/event-log.ts';
import { migrateLog } from '../../src/postgres/migrate.ts';
import type { PoolClient } from '../../src/postgres/pool.ts';
import { prepareUsers, readUsers } from '../support/apply-harness.ts';
import {
  startConsumer,
  userRecord,
  waitUntilDecided,
  type InProcessConsumer,
} from '../support/consumer-harness.ts';
import { brokenGuarantees, committedBeyond } from '../support/invariants.ts';
import { uniqueName } from '../support/names.ts';
import { useTestDatabase } from '../support/test-database.ts';
import { waitFor } from '../support/wait-for.ts';

const LOG_SCHEMA = 'user_events_log';
jest.setTimeout(60_000);
let log: EventLog;
let consumer: InProcessConsumer;
/** How often it has sent a statement. */
let attempts = 0;
let other: PoolClient;
/** Has the log, whose statements are not to meet the time-outs that are set for the service's database. */
const logDatabase = useTestDatabase();
const database = useTestDatabase();

beforeAll(async () => {
  await migrateLog({ connectionString: logDatabase().connectionString, schema: LOG_SCHEMA });
});
beforeEach(async () => {
  const { pool, schema } = database();
  await pool.query('drop table if exists public.users cascade');
  await pool.query(`truncate ${schema}.ledger, ${schema}.position, ${schema}.attempt, ${schema}.binding`);
  await prepareUsers(database());
  const { connectionString } = logDatabase();
  const topic = uniqueName('topic');
  log = createPostgresEventLog({ connectionString, schema: LOG_SCHEMA, topic, patience: 'short' });
  await log.createTopic(1);
  other = await pool.connect();
});
afterEach(async () => {
  await other.query('rollback');
  other.release();
  await consumer.stop();
  await log.close();
  const { pool, name } = database();
  await pool.query(`alter database ${name} reset all`);
});

/** A consumer under these settings of its database, which has made users a and b. */
async function consumeWith(settings: Readonly<Record<string, string>> = {}): Promise<void> {
  const { pool, name } = database();
  for (const [setting, value] of Object.entries(settings))
    await pool.query(`alter database ${name} set ${setting} = '${value}'`);
  consumer = startConsumer(log, database(), {
    at: (point) => {
      if (point === 'before-statement') attempts++;
      return Promise.resolve();
    },
  });
  await log.append([userRecord('create', 'a', { name: 'A' }), userRecord('create', 'b', { name: 'B' })]);
  await waitUntilDecided(log, database(), consumer);
  attempts = 0;
}

/** The other session has changed the row of `userId` and not committed yet. */
async function hold(userId: string): Promise<void> {
  await other.query('begin');
  await other.query(`update public.users set note = 'held' where user_id = $1`, [userId]);
}

/** The consumer's statement waits for a lock. */
async function untilWaiting(): Promise<number> {
  return waitFor(
    async () => {
      const { rows } = await database().pool.query<{ pid: number }>(
        `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
           and query like 'with claimed%'`,
      );
      return rows[0]?.pid;
    },
    { describe: 'the batch statement to wait for a lock' },
  );
}

const update = (userId: string, age: number): Promise<unknown> =>
  log.append([userRecord('update', userId, { age })]);

async function statuses(): Promise<string[]> {
  const { pool, schema } = database();
  const { rows } = await pool.query<{ said: string }>(
    `select concat_ws(' ', status, error_code) as said from ${schema}.ledger order by "offset"`,
  );
  return rows.map(({ said }) => said);
}

async function expectGuarantees(): Promise<void> {
  const { pool, schema } = database();
  expect(await brokenGuarantees(pool, schema, ['name', 'age'])).toEqual([]);
  expect(await committedBeyond(pool, schema, log, consumer.group)).toEqual([]);
}

test('a serialisation failure, by another session that changes the same row, is tried again', async () => {
  await consumeWith();
  await hold('a');
  await update('a', 1);
  await untilWaiting();
  await other.query('commit');
  await waitUntilDecided(log, database(), consumer);
  expect(attempts).toBe(2);
  // The database is there and answers.
  expect(consumer.troubles).toEqual([]);
  // The other session's change is kept: it is of a column that the event does not carry.
  expect(await readUsers(database())).toMatchObject({ a: { age: 1, note: 'held' } });
  await expectGuarantees();
});

test('a deadlock with another session is tried again', async () => {
  await consumeWith({ deadlock_timeout: '1s' });
  // A row that the consumer's statement locks by a trigger before it waits for the other session's.
  await database().pool.query(`
    create table public.seen (n int); insert into public.seen values (0);
    create function public.see() returns trigger language plpgsql as $$ begin update public.seen set n = n + 1; return null; end $$;
    create trigger see before update on public.users for each statement execute function public.see()`);
  await other.query(`set deadlock_timeout = '60s'`);
  await hold('a').catch(() => undefined);
  await other.query('rollback');
  await other.query(`begin; select from public.users where user_id = 'a' for update`);
  await update('a', 1);
  await untilWaiting();
  const waiting = other.query('update public.seen set n = n + 1');
  await waiting;
  await other.query('commit; reset deadlock_timeout');
  await waitUntilDecided(log, database(), consumer);
  expect(attempts).toBe(2);
  expect(consumer.troubles).toEqual([]);
  await expectGuarantees();
  expect(await readUsers(database())).toMatchObject({ a: { age: 1 } });
  await database().pool.query('drop table public.seen; drop function public.see cascade');
});

test('a lock that is held for longer than lock_timeout is waited for', async () => {
  await consumeWith({ lock_timeout: '100ms' });
  await hold('a');
  await update('a', 1);
  await waitFor(() => consumer.troubles.at(-1)?.includes('lock timeout'), { describe: 'the lock time-out' });
  await other.query('rollback');
  await waitUntilDecided(log, database(), consumer);
  expect(await statuses()).toEqual(['applied', 'applied', 'applied']);
  await expectGuarantees();
});

test('statement_timeout fails the event that runs into it alone and twice, and hinders no other user', async () => {
  await consumeWith({ statement_timeout: '200ms' });
  await hold('a');
  await log.append([
    userRecord('update', 'b', { age: 1 }),
    userRecord('update', 'a', { age: 1 }),
    userRecord('create', 'c', { name: 'C' }),
  ]);
  await waitUntilDecided(log, database(), consumer);
  await update('a', 2);
  await waitUntilDecided(log, database(), consumer);
  expect(await statuses()).toEqual([
    ...['applied', 'applied', 'applied', 'failed STATEMENT_TIMEOUT', 'applied', 'parked'],
  ]);
  await other.query('rollback');
  await expectGuarantees();
});

test('a statement that is cancelled once does not fail the event', async () => {
  await consumeWith();
  await hold('a');
  await update('a', 1);
  await other.query('select pg_cancel_backend($1)', [await untilWaiting()]);
  await other.query('rollback');
  await waitUntilDecided(log, database(), consumer);
  expect(await statuses()).toEqual(['applied', 'applied', 'applied']);
  await expectGuarantees();
});

test('a conflict at the very start is tried again', async () => {
  const { pool, schema } = database();
  await other.query(`begin; update ${schema}.binding set bound_at = null`);
  consumer = startConsumer(log, database());
  await waitFor(
    async () =>
      (
        await pool.query(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        )
      ).rowCount !== 0,
    { describe: 'the consumer to wait for the binding' },
  );
  await other.query('commit');
  await log.append([userRecord('create', 'a', { name: 'A' })]);
  await waitUntilDecided(log, database(), consumer);
  await expectGuarantees();
});
