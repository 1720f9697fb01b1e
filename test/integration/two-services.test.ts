import { beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decideAgain } from '../../src/app/decide-again.ts';
import { openLedger } from '../../src/app/consume/open-group.ts';
import { identifiedRecord } from '../support/identified-record.ts';
import { openApplier, prepareUsers, readUsers } from '../support/apply-harness.ts';
import {
  ALL_KINDS,
  entriesOf,
  logs,
  meddlingOf,
  nextRollback,
  readings,
  type Entry,
  type LogStep,
  type Reading,
} from '../support/arbitrary-histories.ts';
import { startConsumer } from '../support/consumer-harness.ts';
import { describeKafka, kafkaBrokers } from '../support/describe-kafka.ts';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { uniqueName } from '../support/names.ts';
import { useTestDatabase, type TestDatabase } from '../support/test-database.ts';

/** On the database: HISTORIES=2000 for more, SEED for those of an earlier run. */
const HISTORIES = Number(process.env['HISTORIES'] ?? 200);
/** All in one topic, each with users of its own. */
const KAFKA_HISTORIES = 60;
const SEED = Number(process.env['SEED'] ?? Math.trunc(Math.random() * 0x7fffffff));

/** Has every column and refuses nothing. */
const first = useTestDatabase();
/** Lacks `age`, which goes to its extra column, and refuses a name. */
const second = useTestDatabase();

beforeAll(async () => {
  process.stderr.write(`Two services: ${String(HISTORIES)} histories, SEED=${String(SEED)}\n`);
  for (const database of [first(), second()]) await prepareUsers(database);
  await first().pool.query('alter table public.users drop constraint name_is_not_bad');
  await second().pool.query('alter table public.users drop column age');
});

async function wipe({ pool, schema }: TestDatabase): Promise<void> {
  await pool.query(
    `truncate public.users, ${schema}.ledger, ${schema}.position, ${schema}.attempt;
     update ${schema}.binding set cluster_id = null, topic = null, topic_id = null, partition_count = null, consumer_group = null`,
  );
}

/** Reads the log to its end, as `how` says: a new consumer (a restart) for every delivery that begins further back. */
async function read(
  database: TestDatabase,
  log: readonly Entry[],
  how: readonly Reading[],
): Promise<ReadonlySet<string>> {
  await wipe(database);
  const touched = new Set<string>();
  const ledger = await openLedger(database);
  let applier = await openApplier(database);
  for (let turn = 0, position = 0; position < log.length; turn++) {
    const { size, redelivered, then } = how[turn % how.length] ?? { size: 1, redelivered: 0, then: null };
    if (redelivered > 0) applier = await openApplier(database);
    expect(applier.nextOffset).toBe(BigInt(position));
    const end = Math.min(log.length, position + size);
    await applier.apply(
      log.slice(position, end).map(({ event }) => event),
      BigInt(end),
    );
    position = end;
    if (then === null || then.kind === 'nothing') continue;
    if (then.kind === 'meddle') {
      const next = nextRollback(log, position);
      await applier.apply(
        log.slice(position, next).map(({ event }) => event),
        BigInt(next),
      );
      position = next;
      const user = log[next]?.model.user ?? 'a';
      await meddle(database, user, then.nth);
      touched.add(user);
      continue;
    }
    const failed = await idsOf(database, 'failed');
    const chosen = failed[then.nth];
    if (chosen === undefined) continue;
    await decideAgain(database, ledger, {
      kind: then.kind === 'skip' ? 'skip' : 'retry',
      eventIds: [chosen],
      operator: 'tester',
      reason: 'test',
      force: false,
      maxAttempts: null,
      signal: new AbortController().signal,
      onProgress: () => undefined,
    });
  }
  return touched;
}

/** Somebody else changes a user's row. */
async function meddle({ pool }: TestDatabase, user: string, nth: number): Promise<void> {
  if (meddlingOf(nth) === 'change')
    await pool.query(`update public.users set name = 'foreign' where user_id = $1`, [user]);
  else await pool.query(`delete from public.users where user_id = $1`, [user]);
}

async function idsOf({ pool, schema }: TestDatabase, status: string): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `select event_id as id from ${schema}.ledger where status = $1 order by partition, "offset"`,
    [status],
  );
  return rows.map(({ id }) => id);
}

/** What was decided on every rollback: what it withdraws, or that it was refused. */
async function decisionsOf({ pool, schema }: TestDatabase): Promise<unknown> {
  const { rows } = await pool.query(
    `select event_id as id, status = 'refused' as refused, withdraws from ${schema}.ledger
     where operation = 'rollback' order by partition, "offset"`,
  );
  return rows;
}

async function heldUp({ pool, schema }: TestDatabase): Promise<ReadonlySet<string>> {
  const { rows } = await pool.query<{ user: string }>(
    `select distinct user_id as user from ${schema}.ledger where status in ('failed', 'parked', 'skipped')`,
  );
  return new Set(rows.map(({ user }) => user));
}

/** Rollbacks that met a row that was not theirs, those included that were executed later. */
async function driftsIn({ pool, schema }: TestDatabase): Promise<number> {
  const { rows } = await pool.query<{ n: number }>(
    `select count(*)::int as n from (select event_id from ${schema}.ledger where error_code = 'DRIFT'
       union select event_id from ${schema}.attempt where error_code = 'DRIFT') one`,
  );
  return rows[0]?.n ?? 0;
}

async function orphansOf({ pool, schema }: TestDatabase): Promise<unknown[]> {
  const { rows } = await pool.query<{ event_id: string }>(
    `select event_id from ${schema}.ledger p where status = 'parked' and not exists (select from ${schema}.ledger f
       where f.event_id = p.blocked_by and f.status = 'failed' and f.user_id = p.user_id and f."offset" < p."offset")`,
  );
  return rows;
}

/**
 * Both decided alike; users that neither holds up are equal on the columns of both, those aside whose rows somebody
 * changed; nothing waits for nothing.
 */
async function expectAlike(all: readonly string[], touched: ReadonlySet<string>): Promise<number> {
  expect(await decisionsOf(second())).toEqual(await decisionsOf(first()));
  const held = new Set([...(await heldUp(first())), ...(await heldUp(second()))]);
  const users = all.filter((user) => !held.has(user) && !touched.has(user));
  const names = async (database: TestDatabase): Promise<unknown[]> => {
    const rows = await readUsers(database);
    return users.map((user) => (rows[user] === undefined ? 'none' : (rows[user]['name'] ?? null)));
  };
  expect(await names(second())).toEqual(await names(first()));
  for (const database of [first(), second()]) expect(await orphansOf(database)).toEqual([]);
  return users.length;
}

test('two services on databases that read at different times, refuse and drift differently decide alike and end equal', async () => {
  let compared = 0;
  let drifts = 0;
  await fc.assert(
    fc.asyncProperty(logs(['bad', 'x', 'y'], ALL_KINDS), readings, readings, async (steps, ours, theirs) => {
      const log = entriesOf(steps);
      const touched = await read(first(), log, ours);
      const alsoTouched = await read(second(), log, theirs);
      compared += await expectAlike(['a', 'b'], new Set([...touched, ...alsoTouched]));
      for (const database of [first(), second()]) drifts += await driftsIn(database);
    }),
    { numRuns: HISTORIES, seed: SEED },
  );
  expect(compared).toBeGreaterThan(HISTORIES / 2);
  expect(drifts).toBeGreaterThan(0);
}, 600_000);

describeKafka('on Kafka', () => {
  test('two services that consume a topic at different times, in different batches, restarted, end equal', async () => {
    const histories = fc.sample(logs(['bad', 'x', 'y'], ALL_KINDS), { numRuns: KAFKA_HISTORIES, seed: SEED });
    const steps = histories.flatMap((history, at) => history.map((step) => ofOwnUsers(step, at)));
    const users = histories.flatMap((_, at) => [`a${String(at)}`, `b${String(at)}`]);
    const topic = uniqueName('topic');
    const log = createKafkaEventLog({ brokers: [kafkaBrokers()], clientId: 'test', topic, patience: 'long' });
    try {
      await log.createTopic(2);
      for (const database of [first(), second()]) await wipe(database);
      const records = entriesOf(steps).map(identifiedRecord);
      const half = Math.ceil(records.length / 2);
      const live = startConsumer(log, first(), { batchSize: 3 });
      await log.append(records.slice(0, half));
      // The other one reads the first half at once, stops, and comes back when all is there.
      const group = uniqueName('group');
      const settings = { group, isUntilEnd: true };
      await startConsumer(log, second(), { ...settings, batchSize: 1000 }).ended;
      await log.append(records.slice(half));
      await startConsumer(log, second(), { ...settings, batchSize: 7 }).ended;
      await live.stop();
      await startConsumer(log, first(), { group: live.group, isUntilEnd: true }).ended;
      expect(await expectAlike(users, new Set())).toBeGreaterThan(KAFKA_HISTORIES / 2);
    } finally {
      await log.close();
    }
  }, 300_000);
});

function ofOwnUsers(step: LogStep, history: number): LogStep {
  if (step.kind === 'again') return step;
  return { ...step, event: { ...step.event, user: `${step.event.user}${String(history)}` } };
}
