import { expect, jest, test } from '@jest/globals';
import { createPostgresEventLog } from '../../src/log/postgres/event-log.ts';
import { migrateLog } from '../../src/postgres/migrate.ts';
import { prepareUsers } from '../support/apply-harness.ts';
import { startConsumer, userRecord, waitUntilDecided } from '../support/consumer-harness.ts';
import { brokenGuarantees, committedBeyond } from '../support/invariants.ts';
import { uniqueName } from '../support/names.ts';
import { useTestDatabase } from '../support/test-database.ts';

const LOG_SCHEMA = 'user_events_log';
const TABLES = ['public.users', 'user_events.ledger', 'user_events.position'];
jest.setTimeout(60_000);
const database = useTestDatabase();

/** What a standby that lagged has: the tables as they were. */
async function keep(): Promise<void> {
  for (const table of TABLES)
    await database().pool.query(
      `create table public.kept_${String(TABLES.indexOf(table))} as table ${table}`,
    );
}

/** The fail-over: all that was committed since is gone, at one moment. */
async function fallBack(): Promise<void> {
  const restore = TABLES.map(
    (table, at) =>
      `delete from ${table}; insert into ${table} select * from public.kept_${String(at)}; drop table public.kept_${String(at)};`,
  );
  await database().pool.query(
    `begin; lock table user_events.position, user_events.ledger, public.users in exclusive mode; ${restore.join('')} commit`,
  );
}

test('what a fail-over to a standby that lagged has lost is read from the log again, and nothing is jumped over', async () => {
  const { connectionString, pool, schema } = database();
  await prepareUsers(database());
  await migrateLog({ connectionString, schema: LOG_SCHEMA });
  const log = createPostgresEventLog({
    connectionString,
    schema: LOG_SCHEMA,
    topic: uniqueName('topic'),
    patience: 'short',
  });
  await log.createTopic(2);
  const publish = (from: number, to: number): Promise<unknown> =>
    log.append(
      Array.from({ length: to - from }, (_, at) =>
        userRecord('create', `u${String(from + at)}`, { age: at }),
      ),
    );
  const consumer = startConsumer(log, database(), { batchSize: 5 });
  await publish(0, 20);
  await waitUntilDecided(log, database(), consumer);
  await keep();
  await publish(20, 60);
  await waitUntilDecided(log, database(), consumer);
  await fallBack();
  await publish(60, 100);
  await waitUntilDecided(log, database(), consumer);
  expect(await brokenGuarantees(pool, schema, ['name', 'age'])).toEqual([]);
  expect(await committedBeyond(pool, schema, log, consumer.group)).toEqual([]);
  const { rows } = await pool.query('select count(*)::int as n from public.users');
  expect(rows).toEqual([{ n: 100 }]);
  expect(consumer.troubles).toContainEqual(
    expect.stringMatching(/^position: The database lost what it had of offsets \d+ to \d+$/),
  );
  await consumer.stop();
  await log.close();
});
