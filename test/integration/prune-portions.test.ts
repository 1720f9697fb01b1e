import { beforeEach, expect, test } from '@jest/globals';
import { openLedger } from '../../src/app/consume/open-group.ts';
import { prune } from '../../src/app/prune.ts';
import { openApplier, prepareUsers } from '../support/apply-harness.ts';
import { useTestDatabase } from '../support/test-database.ts';

const database = useTestDatabase();
const ledger = (): string => `${database().schema}.ledger`;
const run = (sql: string): Promise<unknown> => database().pool.query(sql);

/** All that was decided on so far is old. */
async function pruneOld(isDryRun = false): Promise<{ readonly users: number; readonly events: number }> {
  const { users, events } = await prune(database(), await openLedger(database()), {
    before: new Date(Date.now() + 60_000),
    isDryRun,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
  return { users, events };
}

beforeEach(async () => {
  await prepareUsers(database());
  await run(`truncate ${ledger()}`);
});

test('takes no longer where the planner expects next to nothing', async () => {
  await openApplier(database());
  const fill = (from: number, users: string): Promise<unknown> =>
    run(`insert into ${ledger()} (event_id, generation, partition, "offset", user_id, operation, status, published_at, data, before_exists)
      select gen_random_uuid(), 0, 0, ${String(from)} + n, ${users}, 'put', 'applied', now(), '{"userId": "x"}', false
      from generate_series(0, 2999) n`);
  await fill(0, `'a' || n % 1000`);
  await run(`analyze ${ledger()}`);
  await fill(3000, `'z' || n % 1000`);
  const startedMs = performance.now();
  expect(await pruneOld(true)).toEqual({ users: 2000, events: 6000 });
  // Tens of ms; joined to itself a portion took minutes.
  expect(performance.now() - startedMs).toBeLessThan(10_000);
});

test('empties records without a user in portions, each a transaction, and counts them before', async () => {
  await openApplier(database());
  await run(`insert into ${ledger()} (event_id, generation, partition, "offset", operation, status, published_at, raw)
    select gen_random_uuid(), 0, 0, n, null, 'skipped', now(), '\\x7b' from generate_series(0, 4499) n`);
  expect(await pruneOld(true)).toEqual({ users: 0, events: 4500 });
  expect(await pruneOld()).toEqual({ users: 0, events: 4500 });
  const { rows } = await database().pool.query<{ rows: number }>(
    `select count(*)::int as rows from ${ledger()} where raw is null group by xmin::text order by 1 desc`,
  );
  expect(rows).toEqual([{ rows: 2000 }, { rows: 2000 }, { rows: 500 }]);
});
