import { expect, jest, test } from '@jest/globals';
import { openLedger } from '../../src/app/consume/open-group.ts';
import { decideAgain } from '../../src/app/decide-again.ts';
import { failedEventIds } from '../../src/app/failures/choose.ts';
import { createPostgresEventLog } from '../../src/log/postgres/event-log.ts';
import { migrateLog } from '../../src/postgres/migrate.ts';
import { prepareUsers } from '../support/apply-harness.ts';
import { startConsumer, userRecord, waitUntilDecided } from '../support/consumer-harness.ts';
import { brokenGuarantees, committedBeyond } from '../support/invariants.ts';
import { uniqueName } from '../support/names.ts';
import { useTestDatabase } from '../support/test-database.ts';
import { waitFor } from '../support/wait-for.ts';

const LOG_SCHEMA = 'user_events_log';
const USERS = 200;
const DECISIONS = 2_000;
// Only a hang is meant by it: operators and consumer conflict all the time, so that it takes 8 s alone, 80 s with three of
// it on two cores, and 40 to more than 120 s beside the crash tests.
jest.setTimeout(400_000);
const database = useTestDatabase();

test(`${DECISIONS.toLocaleString('en-US')} retries and skips beside a running consumer leave nothing parked for nothing`, async () => {
  const { connectionString, pool, schema } = database();
  await prepareUsers(database(), 'lenient');
  await migrateLog({ connectionString, schema: LOG_SCHEMA });
  const topic = uniqueName('topic');
  const log = createPostgresEventLog({ connectionString, schema: LOG_SCHEMA, topic, patience: 'short' });
  await log.createTopic(2);
  const consumer = startConsumer(log, database(), { batchSize: 40 });
  const ledger = await openLedger(database());
  const decided = { retry: 0, skip: 0, changed: 0 };
  const decide = async (kind: 'retry' | 'skip', eventIds: readonly string[]): Promise<void> => {
    const done = await decideAgain(database(), ledger, {
      kind,
      eventIds,
      operator: 'tester',
      reason: 'test',
      force: false,
      maxAttempts: null,
      signal: new AbortController().signal,
      onProgress: () => undefined,
    });
    decided[kind] += done.length;
    decided.changed += done.filter(({ left }) => left === null).length;
  };
  const isEnough = (): boolean => decided.retry + decided.skip >= DECISIONS;
  let published = 0;
  const publish = async (): Promise<void> => {
    while (!isEnough()) {
      const events = Array.from({ length: 100 }, (_, at) => {
        const n = published + at;
        // A fifth of the events is refused, of users who have events before and after it.
        const fields = n % 5 === 3 ? { name: 'bad' } : { name: 'N', age: n };
        return userRecord('put', `u${String((n * 7) % USERS)}`, fields);
      });
      await log.append(events);
      published += events.length;
      // Not further ahead than the consumer has something to do all the time.
      await waitFor(async () => published - (await countDecided()) < 500 || isEnough(), {
        describe: 'the consumer to follow',
      });
    }
  };
  const countDecided = async (): Promise<number> =>
    (await pool.query<{ n: number }>(`select count(*)::int as n from ${schema}.ledger`)).rows[0]?.n ?? 0;
  /** One operator, who takes one failed event at a time, or up to a hundred, until enough is decided. */
  const operate = async (first: number): Promise<void> => {
    for (let turn = first; !isEnough(); turn++) {
      const failed = await failedEventIds(database(), { wanted: {}, nowMs: 0 });
      const from = (turn * 13) % Math.max(1, failed.length);
      const chosen = failed.slice(from, from + (turn % 4 === 0 ? 100 : 1));
      if (chosen.length > 0) await decide(turn % 3 === 0 ? 'retry' : 'skip', chosen);
    }
  };
  await Promise.all([publish(), operate(0), operate(1), operate(2)]);
  await waitUntilDecided(log, database(), consumer, 60_000);
  expect(await brokenGuarantees(pool, schema, ['name', 'age'])).toEqual([]);
  // What was held back until now goes on when its cause is accepted as lost: skipping may uncover the next one.
  for (
    let failed = await failedEventIds(database(), { wanted: {}, nowMs: 0 });
    failed.length > 0;
    failed = await failedEventIds(database(), { wanted: {}, nowMs: 0 })
  )
    await decide('skip', failed);
  expect(decided.changed).toBeGreaterThan(DECISIONS / 2);
  const { rows } = await pool.query(
    `select status from ${schema}.ledger where status in ('failed', 'parked')`,
  );
  expect(rows).toEqual([]);
  expect(await brokenGuarantees(pool, schema, ['name', 'age'])).toEqual([]);
  expect(await committedBeyond(pool, schema, log, consumer.group)).toEqual([]);
  expect(await consumer.stop()).toMatchObject({ events: published, duplicates: 0 });
  await log.close();
});
