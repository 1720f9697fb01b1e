import { beforeEach, describe, expect, test } from '@jest/globals';
import { applyStory, differencesOf, repairDatabase, verifyDatabase } from '../support/verify-harness.ts';
import { cud, openApplier, readStatuses, readUsers, rollback } from '../support/apply-harness.ts';
import { useTestDatabase } from '../support/test-database.ts';

const database = useTestDatabase();

beforeEach(() => applyStory(database()));

const run = (sql: string): Promise<unknown> => database().pool.query(sql);

describe('a repair', () => {
  test('sets rows to the fold, and finds nothing the second time', async () => {
    const before = await readUsers(database());
    await run(`update public.users set name = 'X', note = 'kept' where user_id = 'a'; delete from public.users where user_id = 'b';
      insert into public.users (user_id) values ('c'), ('z')`);
    const { findings } = await verifyDatabase(database(), { isExact: true });
    expect(await repairDatabase(database(), findings)).toEqual({
      inserted: 1,
      updated: 1,
      deleted: 2,
      corrected: 0,
      refused: [],
    });
    const after = await readUsers(database());
    expect(after).toEqual({ ...before, a: { ...before['a'], note: 'kept' } });
    expect((await verifyDatabase(database(), { isExact: true })).result.differenceCount).toBe(0);
  });

  test('deletes no row of which the log has heard meanwhile, or of which it knows only failures', async () => {
    await run(`insert into public.users (user_id, name) values ('z', 'Z'), ('old', 'O')`);
    const applier = await openApplier(database());
    await applier.apply([cud(10, 'update', 'old', { name: 'bad' })], 11n);
    const { findings } = await verifyDatabase(database(), { isExact: true });
    expect(findings.unknown).toEqual(['z']);
    await applier.apply([cud(11, 'update', 'z', { age: 1 })], 12n);
    expect(await repairDatabase(database(), findings)).toMatchObject({ deleted: 0 });
    expect(Object.keys(await readUsers(database())).toSorted()).toEqual(['a', 'b', 'old', 'z']);
  });

  test('puts whole rows into images that had none, so that a later rollback brings the row back', async () => {
    await run(`delete from public.users where user_id = 'a'`);
    const applier = await openApplier(database());
    await applier.apply([cud(10, 'put', 'a', { age: 7 })], 11n);
    await repairDatabase(database(), (await verifyDatabase(database())).findings);
    const again = await openApplier(database());
    await again.apply([cud(11, 'delete', 'a')], 12n);
    await again.apply([rollback(12, 'a', [10], { mode: 'cascade' })], 13n);
    expect((await readStatuses(database())).at(-1)).toBe('applied');
    expect((await readUsers(database()))['a']).toMatchObject({ name: 'AA', age: 1 });
    expect(await differencesOf(database())).toEqual([]);
  });

  test('writes a row that is missing with the times of its events, and writes the audit trail', async () => {
    const times = `select created_at, updated_at from public.users where user_id = 'b'`;
    const { rows: before } = await database().pool.query(times);
    await run(`delete from public.users where user_id = 'b'`);
    const { findings } = await verifyDatabase(database());
    await repairDatabase(database(), findings);
    const { rows: after } = await database().pool.query(times);
    expect(after).toEqual(before);
    const { rows } = await database().pool.query(
      `select cause, operator, reason from ${database().schema}.attempt where cause = 'fix'`,
    );
    expect(rows).toEqual([{ cause: 'fix', operator: 'tester', reason: 'test' }]);
  });

  test('leaves nothing that a later rollback would call drift, also where images had seen the foreign value', async () => {
    await run(`update public.users set name = 'X' where user_id = 'a'`);
    const applier = await openApplier(database());
    await applier.apply([cud(10, 'update', 'a', { age: 50 })], 11n);
    const { findings, result } = await verifyDatabase(database());
    expect(result.differences).toMatchObject([{ userId: 'a', column: 'name', ledger: 'AA', row: 'X' }]);
    await repairDatabase(database(), findings);
    const again = await openApplier(database());
    await again.apply([rollback(11, 'a', [10])], 12n);
    expect((await readStatuses(database())).at(-1)).toBe('applied');
    expect((await readUsers(database()))['a']).toMatchObject({ name: 'AA', age: 1 });
    expect(await differencesOf(database())).toEqual([]);
  });

  test('sets a row whose unique value another one has to give up first', async () => {
    const applier = await openApplier(database());
    await applier.apply([cud(10, 'update', 'b', { email: 'b@x' })], 11n);
    await run(`update public.users set email = 'else' where user_id = 'a'`);
    await run(`update public.users set email = 'a@x' where user_id = 'b'`);
    const { findings } = await verifyDatabase(database());
    expect(await repairDatabase(database(), findings)).toMatchObject({ updated: 2, refused: [] });
    expect(await differencesOf(database())).toEqual([]);
  });

  test.each([
    ['that may be empty', 'drop not null'],
    ['that may not', 'set not null'],
  ])("swaps rows that hold each other's unique values, of a column %s", async (_, change) => {
    const applier = await openApplier(database());
    const users = ['a', 'b', 'e', 'f'];
    await applier.apply(
      [
        cud(10, 'update', 'b', { email: 'b@x' }),
        cud(11, 'create', 'e', { email: 'e@x' }),
        cud(12, 'create', 'f', { email: 'f@x' }),
      ],
      13n,
    );
    const before = await readUsers(database());
    // Each has the next one's: two of them by a swap, three in a ring would do as well.
    await run(`update public.users set email = 'x' || user_id where user_id = any ('{a,b,e,f}')`);
    await run(`update public.users set email = case user_id when 'a' then 'b@x' when 'b' then 'e@x' when 'e' then 'a@x' end
      where user_id in ('a', 'b', 'e')`);
    await run(`alter table public.users alter email ${change}`);
    try {
      const { findings } = await verifyDatabase(database());
      expect(findings.wrong.toSorted()).toEqual(users);
      expect(await repairDatabase(database(), findings)).toMatchObject({ updated: 4, refused: [] });
      expect(await readUsers(database())).toEqual(before);
      expect(await differencesOf(database())).toEqual([]);
    } finally {
      await run('alter table public.users alter email drop not null');
    }
  });

  test('keeps what a swap would have given up where a third row is in the way', async () => {
    const applier = await openApplier(database());
    await applier.apply([cud(10, 'update', 'b', { email: 'b@x' })], 11n);
    await run(`update public.users set email = 'y' || user_id where user_id in ('a', 'b')`);
    await run(`insert into public.users (user_id, email) values ('z', 'a@x'), ('y', 'b@x')`);
    const { findings } = await verifyDatabase(database());
    const { refused, updated } = await repairDatabase(database(), findings);
    expect(updated).toBe(0);
    expect(refused.map(({ userId }) => userId).toSorted()).toEqual(['a', 'b']);
    expect(await readUsers(database())).toMatchObject({ a: { email: 'ya' }, b: { email: 'yb' } });
  });

  test('names who is refused by the table, and sets the rest', async () => {
    await run(`update public.users set email = null where user_id = 'a'; update public.users set age = 77 where user_id = 'b';
      insert into public.users (user_id, email) values ('z', 'a@x')`);
    const { findings } = await verifyDatabase(database());
    const { refused, updated } = await repairDatabase(database(), findings);
    expect(refused).toMatchObject([
      { userId: 'a', error: { code: 'DATABASE_CONSTRAINT', sqlState: '23505' } },
    ]);
    expect(updated).toBe(1);
    expect(await differencesOf(database())).toEqual(['a.email: a@x, not NULL']);
  });

  test('makes a consumer beside it drop what it had read', async () => {
    const applier = await openApplier(database());
    await applier.apply([cud(10, 'update', 'a', { age: 20 })], 11n);
    await run(`delete from public.users where user_id = 'a'`);
    const { findings } = await verifyDatabase(database());
    await repairDatabase(database(), findings);
    await applier.apply([cud(11, 'update', 'a', { age: 21 })], 12n);
    expect((await readUsers(database()))['a']).toMatchObject({ name: 'AA', age: 21 });
    expect(await differencesOf(database())).toEqual([]);
  });
});
