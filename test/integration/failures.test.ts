import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { listFailures, type FailuresSummary, type Failure } from '../../src/app/failures.ts';
import type { FailuresWanted } from '../../src/app/failures/wanted.ts';
import { cud, eventId, openApplier, prepareUsers, rollback } from '../support/apply-harness.ts';
import { useTestDatabase } from '../support/test-database.ts';

const NOW = Date.UTC(2026, 5, 1);
const HOUR_MS = 3_600_000;

const database = useTestDatabase();

interface Listed extends FailuresSummary {
  readonly failures: readonly Failure[];
  readonly pages: readonly number[];
}

async function list(
  wanted: FailuresWanted = {},
  limit: number | null = null,
  isCounted = true,
): Promise<Listed> {
  const pages: (readonly Failure[])[] = [];
  const summary = await listFailures(database(), {
    wanted,
    limit,
    isCounted,
    nowMs: NOW,
    onPage: (failures) => {
      pages.push(failures);
      return Promise.resolve();
    },
  });
  return { ...summary, failures: pages.flat(), pages: pages.map(({ length }) => length) };
}

const offsets = ({ failures }: Listed): number[] => failures.map(({ offset }) => Number(offset));

describe('a ledger with failures of every kind', () => {
  beforeAll(async () => {
    await prepareUsers(database());
    const applier = await openApplier(database());
    const { value, ...head } = cud(6, 'put', 'unread');
    await applier.apply(
      [
        cud(0, 'create', 'a', { name: 'A', email: 'a@x' }),
        cud(1, 'create', 'drifts', { name: 'D' }),
        cud(2, 'create', 'a', {}),
        cud(3, 'update', 'a', { age: 1 }),
        cud(4, 'update', 'a', { age: 2 }),
        cud(5, 'create', 'b', { name: 'bad' }),
        { ...head, kind: 'unreadable', code: 'UNREADABLE', reason: 'no JSON', userId: null, value },
        cud(7, 'create', 'c', { email: 'a@x' }),
      ],
      8n,
    );
    await applier.apply([cud(8, 'delete', 'c'), cud(9, 'create', 'd', { age: 'old' })], 10n);
    const { pool, schema } = database();
    await pool.query(`update public.users set name = 'by hand' where user_id = 'drifts'`);
    await applier.apply([rollback(10, 'drifts', [1])], 11n);
    // An hour between one and the next, the rollback an hour ago.
    await pool.query(
      `update ${schema}.ledger set decided_at = to_timestamp($1 / 1000.0) - (11 - "offset") * interval '1 h'`,
      [NOW],
    );
  });

  test('is listed in the order of failing, with what waits behind each', async () => {
    const listed = await list();
    expect(
      listed.failures.map(({ offset, code, class: kind, parked }) => [Number(offset), code, kind, parked]),
    ).toEqual([
      [2, 'USER_EXISTS', 'rule', 2],
      [5, 'DATABASE_CONSTRAINT', 'database', 0],
      [6, 'UNREADABLE', 'unreadable', 0],
      [7, 'DATABASE_CONSTRAINT', 'database', 1],
      [9, 'DATABASE_VALUE', 'database', 0],
      [10, 'DRIFT', 'rollback', 0],
    ]);
    expect(listed).toMatchObject({ failed: 6, parked: 3 });
    expect(listed.codes[0]).toEqual({ code: 'DATABASE_CONSTRAINT', failed: 2, parked: 1 });
  });

  test('gives each failure as scripts take it', async () => {
    const { failures } = await list({ userId: 'c' });
    expect(failures).toEqual([
      {
        eventId: eventId(7),
        userId: 'c',
        operation: 'create',
        partition: 0,
        offset: 7n,
        timestamp: '2026-01-01T00:00:07.000Z',
        class: 'database',
        code: 'DATABASE_CONSTRAINT',
        sqlState: '23505',
        message: 'duplicate key value violates unique constraint "email_unique"',
        detail: {
          schema: 'public',
          table: 'users',
          constraint: 'email_unique',
          detail: 'Key (email)=(a@x) already exists.',
        },
        attempts: 1,
        decidedAt: new Date(NOW - 4 * HOUR_MS).toISOString(),
        parked: 1,
      },
    ]);
  });

  test.each<[FailuresWanted, number[]]>([
    [{ codes: ['USER_EXISTS', 'DRIFT'] }, [2, 10]],
    [{ class: 'rule' }, [2]],
    [{ class: 'database' }, [5, 7, 9]],
    [{ class: 'unreadable' }, [6]],
    [{ class: 'rollback' }, [10]],
    [{ class: 'database', codes: ['DATABASE_VALUE', 'DRIFT'] }, [9]],
    [{ sqlState: '23' }, [5, 7]],
    [{ sqlState: '22p02' }, [9]],
    [{ constraint: 'name_is_not_bad' }, [5]],
    [{ field: 'email' }, [7]],
    [{ field: 'name' }, [5, 10]],
    [{ userId: 'a' }, [2]],
    [{ since: '4h' }, [7, 9, 10]],
    [{ since: '@-4h' }, [7, 9, 10]],
    [{ until: '4h' }, [2, 5, 6]],
    [{ since: new Date(NOW - 5 * HOUR_MS).toISOString(), until: '-2h' }, [6, 7]],
    [{ since: '2027-01-01' }, []],
  ])('picks those that are wanted: %j', async (wanted, expected) => {
    const listed = await list(wanted);
    expect(offsets(listed)).toEqual(expected);
    expect(listed.failed).toBe(expected.length);
  });

  test('gives the newest where there is a limit, newest last, and counts them all', async () => {
    const listed = await list({}, 2);
    expect(offsets(listed)).toEqual([9, 10]);
    expect(listed.failed).toBe(6);
    expect(offsets(await list({ class: 'database' }, 1))).toEqual([9]);
    expect((await list({ userId: 'a' }, 1)).failures[0]?.parked).toBe(2);
  });

  test('is not counted where nobody asks', async () => {
    expect(await list({}, null, false)).toMatchObject({ failed: 0, codes: [] });
  });

  test('refuses a time that is none', async () => {
    await expect(list({ since: 'yesterday' })).rejects.toMatchObject({ code: 'USAGE' });
    await expect(list({ until: '@1h:2h' })).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('a ledger of its own', () => {
  beforeEach(async () => {
    await prepareUsers(database());
    const { pool, schema } = database();
    await pool.query(`truncate public.users, ${schema}.ledger, ${schema}.position`);
  });

  test('without failures is an empty list', async () => {
    const applier = await openApplier(database());
    await applier.apply([cud(0, 'create', 'a', {})], 1n);
    expect(await list()).toEqual({ failed: 0, parked: 0, codes: [], failures: [], pages: [] });
  });

  test('with many failures comes in pages of a thousand', async () => {
    const { pool, schema } = database();
    await pool.query(
      `insert into ${schema}.ledger (event_id, generation, partition, "offset", user_id, operation, status, published_at, error_code, error_message)
       select gen_random_uuid(), 0, 0, n, 'u' || n, 'update', 'failed', now(), 'USER_NOT_FOUND', 'no user'
       from generate_series(1, 2500) n`,
    );
    const listed = await list();
    expect(listed.pages).toEqual([1000, 1000, 500]);
    expect(offsets(listed)).toEqual(Array.from({ length: 2500 }, (_, at) => at + 1));
    expect(offsets(await list({}, 1200))[0]).toBe(1301);
  });
});
