import { expect, test } from '@jest/globals';
import { openLedger } from '../../src/app/consume/open-group.ts';
import { prune } from '../../src/app/prune.ts';
import { cud, openApplier, prepareUsers } from '../support/apply-harness.ts';
import { useTestDatabase } from '../support/test-database.ts';
import { differencesOf } from '../support/verify-harness.ts';
import { waitFor } from '../support/wait-for.ts';

const database = useTestDatabase();

test('pruning takes its turn with a consumer, which drops what it had read; with nothing old it takes none', async () => {
  await prepareUsers(database());
  const { pool, schema } = database();
  const applier = await openApplier(database());
  await applier.apply([cud(0, 'create', 'a', { name: 'A' })], 1n);
  const ledger = await openLedger(database());
  const pruneUpTo = (before: Date) =>
    prune(database(), ledger, {
      before,
      isDryRun: false,
      signal: new AbortController().signal,
      onProgress: () => undefined,
    });
  const positions = async (): Promise<unknown> =>
    (await pool.query(`select partition, revision from ${schema}.position`)).rows;
  const waiting = async (): Promise<number | null> =>
    (
      await pool.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      )
    ).rowCount;

  const before = await positions();
  await pruneUpTo(new Date(0));
  expect(await positions()).toEqual(before);

  const writer = await pool.connect();
  try {
    await writer.query('begin');
    await writer.query(`select from ${schema}.position for update`);
    const pruning = pruneUpTo(new Date(Date.now() + 60_000));
    await waitFor(async () => (await waiting()) === 1, { describe: 'the pruning to wait' });
    await writer.query('commit');
    expect(await pruning).toMatchObject({ users: 1, events: 1 });
  } finally {
    writer.release();
  }
  expect(await positions()).not.toEqual(before);
  await applier.apply([cud(1, 'update', 'a', { name: 'B' })], 2n);
  expect(await differencesOf(database())).toEqual([]);
});
