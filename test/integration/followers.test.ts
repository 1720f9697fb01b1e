import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { openLedger } from '../../src/app/consume/open-group.ts';
import { decideAgain } from '../../src/app/decide-again.ts';
import { writeEnvelope } from '../../src/domain/write-envelope.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createPostgresEventLog } from '../../src/log/postgres/event-log.ts';
import { migrateLog } from '../../src/postgres/migrate.ts';
import { prepareUsers, readUsers } from '../support/apply-harness.ts';
import {
  startConsumer,
  userRecord,
  waitUntilDecided,
  type InProcessConsumer,
} from '../support/consumer-harness.ts';
import { brokenGuarantees } from '../support/invariants.ts';
import { uniqueName } from '../support/names.ts';
import { useTestDatabase } from '../support/test-database.ts';

const LOG_SCHEMA = 'user_events_log';
const FOLLOWERS = 10_000;
/** Measured with neighbours on both cores: 0.3 to 0.8 s to park them, 0.8 to 1.6 s to release them. */
const MOST_MS = 15_000;
const USERS = ['retried', 'skipped', 'rolled back'] as const;

jest.setTimeout(120_000);
let log: EventLog;
let consumer: InProcessConsumer;
const failed = new Map<string, string>();
// Before the database is dropped.
afterAll(async () => {
  await consumer.stop();
  await log.close();
});
const database = useTestDatabase();

beforeAll(async () => {
  const { connectionString } = database();
  await prepareUsers(database());
  await migrateLog({ connectionString, schema: LOG_SCHEMA });
  const topic = uniqueName('topic');
  log = createPostgresEventLog({ connectionString, schema: LOG_SCHEMA, topic, patience: 'short' });
  await log.createTopic(1);
  consumer = startConsumer(log, database(), { batchSize: 2_000 });
});

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function statuses(userId: string): Promise<Record<string, number>> {
  const { pool, schema } = database();
  const { rows } = await pool.query<{ status: string; n: number }>(
    `select status, count(*)::int as n from ${schema}.ledger where user_id = $1 group by 1`,
    [userId],
  );
  return Object.fromEntries(rows.map(({ status, n }) => [status, n]));
}

async function decide(kind: 'retry' | 'skip', userId: string): Promise<void> {
  await decideAgain(database(), await openLedger(database()), {
    kind,
    eventIds: [failed.get(userId) ?? ''],
    operator: 'tester',
    reason: 'test',
    force: false,
    maxAttempts: null,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
}

test('10,000 events behind a failed one are parked at the pace of others', async () => {
  const creates = USERS.map((userId) => userRecord('create', userId, { name: 'A', age: -1 }));
  const poison = USERS.map((userId) => userRecord('update', userId, { name: 'bad' }));
  USERS.forEach((userId, at) =>
    failed.set(userId, poison[at]?.headers.find(({ key }) => key === 'ce_id')?.value?.toString() ?? ''),
  );
  await log.append(creates);
  await waitUntilDecided(log, database(), consumer);
  await log.append(poison);
  await waitUntilDecided(log, database(), consumer);
  for (const userId of USERS) {
    await log.append(
      Array.from({ length: FOLLOWERS }, (_, at) =>
        userRecord('update', userId, { age: at, note: `n${String(at)}` }),
      ),
    );
    const ms = await timed(() => waitUntilDecided(log, database(), consumer, 60_000));
    expect(ms).toBeLessThan(MOST_MS);
    expect(await statuses(userId)).toEqual({ applied: 1, failed: 1, parked: FOLLOWERS });
  }
});

test.each([
  ['retried', { applied: FOLLOWERS + 2 }],
  ['skipped', { applied: FOLLOWERS + 1, skipped: 1 }],
  ['rolled back', { applied: FOLLOWERS + 2, rolled_back: 1 }],
] as const)('the failed event %s releases them all, in order', async (userId, expected) => {
  const { pool, schema } = database();
  if (userId === 'retried') {
    await pool.query('alter table public.users drop constraint name_is_not_bad');
  }
  const ms = await timed(async () => {
    if (userId === 'retried') await decide('retry', userId);
    else if (userId === 'skipped') await decide('skip', userId);
    else {
      const terms = {
        mode: 'only',
        upTo: null,
        force: false,
        maxAttempts: null,
        reason: null,
        operator: 'tester',
      } as const;
      const event = { eventId: '018f3f1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f', userId, partition: 0 } as const;
      const targets = [failed.get(userId) ?? ''];
      await log.append([
        writeEnvelope({ kind: 'rollback', rules: 'strict', ...event, targets, ...terms }, '/test'),
      ]);
      await waitUntilDecided(log, database(), consumer, 60_000);
    }
  });
  expect(ms).toBeLessThan(MOST_MS);
  expect(await statuses(userId)).toEqual(expected);
  const last = FOLLOWERS - 1;
  expect((await readUsers(database()))[userId]).toMatchObject({ age: last, note: `n${String(last)}` });
  expect(await brokenGuarantees(pool, schema, ['name', 'age'])).toEqual([]);
});
