import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import { openLedger } from '../../src/app/consume/open-group.ts';
import { decideAgain, type DecidedAgain } from '../../src/app/decide-again.ts';
import { cud, eventId, openApplier, prepareUsers, readStatuses, rollback } from '../support/apply-harness.ts';
import { failedIds, failMany } from '../support/bulk-harness.ts';
import { brokenGuarantees } from '../support/invariants.ts';
import { useTestDatabase } from '../support/test-database.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(30_000);
const database = useTestDatabase();
beforeEach(async () => {
  const { pool, schema } = database();
  await pool.query('drop table if exists public.users cascade');
  await prepareUsers(database());
  await pool.query(`truncate ${schema}.ledger, ${schema}.position, ${schema}.attempt`);
});

const said = (): Promise<string[]> => readStatuses(database());

async function decide(kind: 'retry' | 'skip', ...offsets: number[]): Promise<readonly DecidedAgain[]> {
  return decideAgain(database(), await openLedger(database()), {
    kind,
    eventIds: offsets.map(eventId),
    operator: 'tester',
    reason: null,
    force: false,
    maxAttempts: null,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
}

/** Runs `work` into a lock on a user's row, cancels its statement there, and lets go of the lock. */
async function cancelOnceAt<T>(userId: string, work: () => Promise<T>): Promise<T> {
  const { pool } = database();
  const holder = await pool.connect();
  try {
    await holder.query('begin');
    await holder.query('select from public.users where user_id = $1 for update', [userId]);
    const working = work();
    const pid = await waitFor(
      async () => {
        const { rows } = await pool.query<{ pid: number }>(
          `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return rows[0]?.pid;
      },
      { describe: 'the statement to wait for the lock' },
    );
    await holder.query('select pg_cancel_backend($1)', [pid]);
    await holder.query('rollback');
    return await working;
  } finally {
    holder.release();
  }
}

describe('a statement that is cancelled once', () => {
  test('does not fail the event that is retried', async () => {
    const applier = await openApplier(database());
    await applier.apply([cud(0, 'create', 'a', { name: 'A' })], 1n);
    await applier.apply([cud(1, 'update', 'a', { name: 'bad' })], 2n);
    await database().pool.query('alter table public.users drop constraint name_is_not_bad');
    const decided = await cancelOnceAt('a', () => decide('retry', 1));
    expect(decided).toMatchObject([{ status: 'applied', code: null }]);
    expect(await said()).toEqual(['applied', 'applied']);
  });

  test('does not fail the rollback that rewinds the row', async () => {
    const applier = await openApplier(database());
    await applier.apply([cud(0, 'create', 'a', { name: 'A' })], 1n);
    await applier.apply([cud(1, 'update', 'a', { name: 'B' })], 2n);
    await cancelOnceAt('a', () => applier.apply([rollback(2, 'a', [1])], 3n));
    expect(await said()).toEqual(['applied', 'rolled_back', 'applied']);
  });
});

describe('a parked event', () => {
  beforeEach(async () => {
    const applier = await openApplier(database());
    await applier.apply([cud(0, 'create', 'a', { name: 'bad' })], 1n);
    await applier.apply([cud(1, 'update', 'a', { name: 'A' }), cud(2, 'update', 'a', { age: 2 })], 3n);
    expect(await said()).toEqual(['failed DATABASE_CONSTRAINT', 'parked', 'parked']);
  });

  test('is left as it is by retry and skip while the failed one is there', async () => {
    expect(await decide('retry', 1, 2)).toMatchObject([
      { left: 'not failed', status: 'parked' },
      { left: 'not failed', status: 'parked' },
    ]);
    expect(await decide('skip', 2)).toMatchObject([{ left: 'not failed', status: 'parked' }]);
  });

  // The row may be gone because somebody deleted it, or restored a part of the ledger.
  describe('whose failed event is gone from the ledger', () => {
    beforeEach(async () => {
      await database().pool.query(`delete from ${database().schema}.ledger where "offset" = 0`);
      await database().pool.query(`insert into public.users (user_id, name) values ('a', 'by hand')`);
    });

    test('is executed by retry, and so are those behind it', async () => {
      expect(await decide('retry', 1)).toMatchObject([{ left: null, status: 'applied' }]);
      expect(await said()).toEqual(['applied', 'applied']);
      const { rows } = await database().pool.query('select name, age from public.users');
      expect(rows).toEqual([{ name: 'A', age: 2 }]);
    });

    test('is passed over by skip, and those behind it are executed', async () => {
      expect(await decide('skip', 1)).toMatchObject([{ left: null, status: 'skipped' }]);
      expect(await said()).toEqual(['skipped', 'applied']);
    });

    test('does not let a later one be executed before it', async () => {
      expect(await decide('retry', 2)).toMatchObject([{ left: 'not failed', status: 'parked' }]);
    });
  });

  test('is released by a retry of the failed event, in order', async () => {
    await database().pool.query('alter table public.users drop constraint name_is_not_bad');
    await decide('retry', 0);
    expect(await said()).toEqual(['applied', 'applied', 'applied']);
    const { pool, schema } = database();
    expect(await brokenGuarantees(pool, schema, ['name', 'age'])).toEqual([]);
  });
});

describe('a bulk of decisions', () => {
  test('that is interrupted says how many were made, and a second run makes the rest', async () => {
    await failMany(database(), 450);
    const skip = async (signal: AbortSignal, onProgress: () => void): Promise<number> => {
      const terms = { operator: 'tester', reason: 'lost', force: false, maxAttempts: null };
      const asked = {
        kind: 'skip',
        eventIds: await failedIds(database()),
        signal,
        onProgress,
        ...terms,
      } as const;
      return (await decideAgain(database(), await openLedger(database()), asked)).length;
    };
    const stop = new AbortController();
    await expect(
      skip(stop.signal, () => {
        stop.abort();
      }),
    ).rejects.toMatchObject({ code: 'INTERRUPTED', facts: { done: 200, total: 450 } });
    expect(await failedIds(database())).toHaveLength(250);
    expect(await skip(new AbortController().signal, () => undefined)).toBe(250);
    expect(await failedIds(database())).toEqual([]);
  });
});
