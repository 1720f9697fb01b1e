import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { openLedger } from '../../src/app/consume/open-group.ts';
import { decideAgain } from '../../src/app/decide-again.ts';
import { failedEventIds } from '../../src/app/failures/choose.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createPostgresEventLog } from '../../src/log/postgres/event-log.ts';
import { migrateLog } from '../../src/postgres/migrate.ts';
import { prepareUsers } from '../support/apply-harness.ts';
import {
  startConsumer,
  userRecord,
  waitUntilDecided,
  type ConsumerSettings,
  type InProcessConsumer,
} from '../support/consumer-harness.ts';
import { brokenGuarantees, committedBeyond } from '../support/invariants.ts';
import { uniqueName } from '../support/names.ts';
import { useTestDatabase } from '../support/test-database.ts';

const LOG_SCHEMA = 'user_events_log';
jest.setTimeout(60_000);
let log: EventLog;
let consumer: InProcessConsumer;
const group = uniqueName('group');
const role = uniqueName('role');
// Before the database is dropped.
afterAll(async () => {
  await log.close();
  await database().pool.query(`drop owned by ${role}; drop role ${role}`);
});
const database = useTestDatabase();

beforeAll(async () => {
  const { connectionString, schema, pool, name } = database();
  await migrateLog({ connectionString, schema: LOG_SCHEMA });
  await pool.query(`create role ${role} login password '${role}'`);
  await pool.query(
    `grant all on schema ${schema}, public to ${role}; grant connect on database ${name} to ${role}`,
  );
  await pool.query(`grant all on all tables in schema ${schema} to ${role}`);
  const topic = uniqueName('topic');
  log = createPostgresEventLog({ connectionString, schema: LOG_SCHEMA, topic, patience: 'short' });
  await log.createTopic(1);
});
beforeEach(async () => {
  await database().pool.query('drop table if exists public.users');
  await prepareUsers(database());
  await database().pool.query(`grant all on public.users to ${role}`);
  await database().pool.query(`delete from ${database().schema}.ledger`);
});
afterEach(async () => {
  await consumer.stop().catch(() => undefined);
});
/** As the role that has what was granted and no more. */
function consumeAsRole(settings: ConsumerSettings = {}): InProcessConsumer {
  const url = new URL(database().connectionString);
  url.username = role;
  url.password = role;
  consumer = startConsumer(log, database(), { connectionString: url.href, group, ...settings });
  return consumer;
}

const publish = (...names: string[]): Promise<unknown> =>
  log.append(names.map((userId) => userRecord('create', userId, { name: userId })));

async function expectGuarantees(): Promise<void> {
  const { pool, schema } = database();
  // Only what this test has published: the ledger of those before it was emptied, the position was not.
  const broken = await brokenGuarantees(pool, schema, ['name']);
  expect(broken.filter((line) => !line.startsWith('I4'))).toEqual([]);
  expect(await committedBeyond(pool, schema, log, group)).toEqual([]);
}

test.each<[what: string, fault: string, mend: string, said: RegExp]>([
  [
    'the table is dropped',
    'alter table public.users rename to gone',
    'alter table public.gone rename to users',
    /public\.users/,
  ],
  [
    'a column is renamed',
    'alter table public.users rename name to nom',
    'alter table public.users rename nom to name',
    /name/,
  ],
  [
    'the right to insert is taken away',
    `revoke insert on public.users from ${role}`,
    `grant insert on public.users to ${role}`,
    /users/,
  ],
  [
    'the rights on the ledger are taken away',
    `revoke all on user_events.ledger from ${role}`,
    `grant all on user_events.ledger to ${role}`,
    /ledger/,
  ],
])(
  'where %s under way the consumer stops with exit 3, and loses nothing',
  async (_what, fault, mend, said) => {
    const { pool } = database();
    const running = consumeAsRole();
    await publish('a', 'b');
    await waitUntilDecided(log, database(), running);
    await pool.query(fault);
    await publish('c', 'd');
    await expect(running.ended).rejects.toMatchObject({ code: 'DATABASE_REFUSED', exitCode: 3 });
    expect(String(running.error())).toMatch(said);
    await pool.query(mend);
    const again = consumeAsRole();
    await waitUntilDecided(log, database(), again);
    await expectGuarantees();
    const { rows } = await pool.query(`select status, count(*)::int as n from user_events.ledger group by 1`);
    expect(rows).toEqual([{ status: 'applied', n: 4 }]);
    expect((await pool.query('select user_id from public.users order by 1')).rows).toHaveLength(4);
  },
);

test('a column that must not be null, added under way, fails events of any user: --max-failed stops, retry makes them good', async () => {
  const { pool } = database();
  const running = consumeAsRole({ maxFailed: 3, batchSize: 1 });
  await publish('a', 'b');
  await waitUntilDecided(log, database(), running);
  await pool.query(`alter table public.users add column plan text`);
  await pool.query(`alter table public.users add constraint has_plan check (plan is not null) not valid`);
  await pool.query(`update public.users set plan = 'free'; alter table public.users alter plan set not null`);
  await publish('c', 'd', 'e', 'f', 'g', 'h');
  expect(await running.ended).toMatchObject({ endedBy: 'failure', applied: 2, failed: 4 });
  await pool.query(`alter table public.users alter plan set default 'free'`);
  const again = consumeAsRole();
  await waitUntilDecided(log, database(), again);
  const retried = await decideAgain(database(), await openLedger(database()), {
    kind: 'retry',
    eventIds: await failedEventIds(database(), { wanted: {}, nowMs: 0 }),
    operator: 'tester',
    reason: null,
    force: false,
    maxAttempts: null,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
  expect(retried.map(({ status }) => status)).toEqual(['applied', 'applied', 'applied', 'applied']);
  await expectGuarantees();
  expect((await pool.query('select user_id from public.users order by 1')).rows).toHaveLength(8);
});
