import { beforeEach, describe, expect, test } from '@jest/globals';
import { applyStory, differencesOf, repairDatabase, verifyDatabase } from '../support/verify-harness.ts';
import { cud, openApplier, rollback } from '../support/apply-harness.ts';
import { useTestDatabase } from '../support/test-database.ts';

const database = useTestDatabase();
const ledger = (): string => `${database().schema}.ledger`;

beforeEach(() => applyStory(database()));

const run = (sql: string): Promise<unknown> => database().pool.query(sql);

describe('a table that is the fold', () => {
  test('has no difference, whatever was rolled back, failed and parked', async () => {
    const { result } = await verifyDatabase(database());
    expect(result).toMatchObject({
      table: 'public.users',
      users: 3,
      events: 6,
      rows: 2,
      unknownRows: 0,
      untold: 0,
      failed: 1,
      parked: 1,
      differenceCount: 0,
      differences: [],
      positions: [{ partition: 0, position: 10n }],
    });
  });

  test('may have other columns changed, those that no event carries', async () => {
    await run(`update public.users set note = 'mine', created_at = now()`);
    expect(await differencesOf(database())).toEqual([]);
  });

  test('may have rows of which the log knows nothing, which are counted', async () => {
    await run(`insert into public.users (user_id, name) values ('z', 'Z')`);
    const { result } = await verifyDatabase(database());
    expect(result).toMatchObject({ differenceCount: 0, unknownRows: 1, rows: 3 });
  });

  test('may begin with users who were there before the log', async () => {
    await run(
      `insert into public.users (user_id, name, age, attributes) values ('old', 'O', 40, '{"k": 1}')`,
    );
    const applier = await openApplier(database());
    await applier.apply([cud(10, 'update', 'old', { age: 41, plan: 'x' })], 11n);
    expect(await differencesOf(database())).toEqual([]);
    await run(`update public.users set attributes = '{"k": 2, "plan": "x"}' where user_id = 'old'`);
    expect(await differencesOf(database())).toEqual([
      'old.attributes: {"k": 1, "plan": "x"}, not {"k": 2, "plan": "x"}',
    ]);
  });
});

describe('tampering is found', () => {
  test.each([
    ['a field', `update public.users set name = 'X' where user_id = 'a'`, ['a.name: AA, not X']],
    [
      'a field that only the first event carried',
      `update public.users set email = null where user_id = 'a'`,
      ['a.email: a@x, not NULL'],
    ],
    [
      'a key of the extra column',
      `update public.users set attributes = attributes || '{"seats": 4}' where user_id = 'a'`,
      [
        `a.attributes: {"plan": "free", "seats": 3, "colour": "red"}, not {"plan": "free", "seats": 4, "colour": "red"}`,
      ],
    ],
    [
      'a key taken out of the extra column',
      `update public.users set attributes = attributes - 'plan' where user_id = 'a'`,
      [`a.attributes: {"plan": "free", "seats": 3, "colour": "red"}, not {"seats": 3, "colour": "red"}`],
    ],
    ['a row removed', `delete from public.users where user_id = 'b'`, ['b: row missing']],
    ['a deleted row that is back', `insert into public.users (user_id) values ('c')`, ['c: row unexpected']],
    [
      'an applied event called skipped',
      `update LEDGER set status = 'skipped' where "offset" = 3`,
      ['a: skipped by nobody', 'a.name: A, not AA'],
    ],
    [
      'a delete called failed',
      `update LEDGER set status = 'failed' where "offset" = 4`,
      ['c: row missing', 'c: failed without a reason'],
    ],
    [
      'an applied event called rolled back',
      `update LEDGER set status = 'rolled_back', before = null, before_exists = null where "offset" = 5`,
      ['b: not what stands', 'b.age: 2, not 3'],
    ],
    [
      'a rolled back event called applied',
      `update LEDGER set status = 'applied' where "offset" = 6`,
      ['b: not what stands', 'b.age: 4, not 3'],
    ],
    [
      'a failed event called applied',
      `update LEDGER set status = 'applied', before_exists = false where "offset" = 8`,
      ['d: row missing', 'd: parked for nothing'],
    ],
    [
      'a parked event called applied',
      `update LEDGER set status = 'applied' where "offset" = 9`,
      ['d: overtaken'],
    ],
    [
      'data of the ledger',
      `update LEDGER set data = '{"userId": "a", "name": "X"}' where "offset" = 3`,
      ['a.name: X, not AA'],
    ],
    [
      'data that no column takes',
      `update LEDGER set data = '{"userId": "a", "age": "young"}' where "offset" = 0`,
      ['a: data does not fit'],
    ],
  ])('%s', async (_, sql, differences) => {
    await run(sql.replace('LEDGER', ledger()));
    const found = (await differencesOf(database())).map((each) =>
      each.replace(/"colour": "red", "seats": 3/, '"seats": 3, "colour": "red"'),
    );
    expect(found.toSorted()).toEqual(differences.toSorted());
  });

  test.each([
    [
      'a lone create called rolled back',
      `update LEDGER set status = 'rolled_back' where "offset" = 10`,
      ['e: not what stands', 'e: row unexpected'],
    ],
    [
      'what an applied event carried taken out of the ledger',
      `update LEDGER set data = null where "offset" = 3`,
      ['a: data is gone'],
    ],
  ])('%s', async (_, sql, differences) => {
    const applier = await openApplier(database());
    await applier.apply([cud(10, 'create', 'e', { name: 'E' })], 11n);
    await run(sql.replace('LEDGER', ledger()));
    expect((await differencesOf(database())).toSorted()).toEqual(differences);
  });

  test('a row set up by hand of a user whose create was rolled back is unexpected', async () => {
    const applier = await openApplier(database());
    await applier.apply([cud(10, 'create', 'e', { name: 'E' })], 11n);
    await applier.apply([rollback(11, 'e', [10])], 12n);
    expect(await differencesOf(database())).toEqual([]);
    await run(`insert into public.users (user_id) values ('e')`);
    expect(await differencesOf(database())).toEqual(['e: row unexpected']);
  });

  test('a column that was dropped since takes no other field with it', async () => {
    await run('alter table public.users add column old int');
    const applier = await openApplier(database());
    await applier.apply([cud(10, 'update', 'b', { name: 'BB', old: 2 })], 11n);
    await run('alter table public.users drop column old');
    // What the table lacks belongs into the extra column, as if the log were read anew.
    expect(await differencesOf(database())).toEqual(['b.attributes: {"old": 2}, not {}']);
    await repairDatabase(database(), (await verifyDatabase(database())).findings);
    expect(await differencesOf(database())).toEqual([]);
  });

  test('a number that a text column keeps is compared as it was written there', async () => {
    const applier = await openApplier(database());
    await applier.apply([cud(10, 'create', 'g', { name: 1 })], 11n);
    // As another producer writes the same number.
    await run(`update ${ledger()} set data = '{"userId": "g", "name": 1.0}' where "offset" = 10`);
    expect(await differencesOf(database())).toEqual([]);
    await run(`update public.users set name = '1.0' where user_id = 'g'`);
    expect(await differencesOf(database())).toEqual(['g.name: 1, not 1.0']);
  });

  test('a row of which the log knows nothing is a difference where it is asked for', async () => {
    await run(`insert into public.users (user_id, name) values ('z', 'Z')`);
    expect(await differencesOf(database(), { isExact: true })).toEqual(['z: row unknown']);
  });
});

describe('the digest', () => {
  test('does not depend on what rows a table has beside the log, and changes with any value', async () => {
    const digest = async (): Promise<unknown> =>
      (await verifyDatabase(database(), { digestColumns: 'all' })).result.digest?.partitions;
    const first = await digest();
    expect(first).toEqual([{ partition: 0, users: 2, digest: expect.stringMatching(/^[0-9a-f]{30}$/) }]);
    await run(`insert into public.users (user_id, name) values ('z', 'Z')`);
    expect(await digest()).toEqual(first);
    await run(`update public.users set age = age + 1 where user_id = 'b'`);
    expect(await digest()).not.toEqual(first);
  });

  test('refuses a column that events cannot carry', async () => {
    await expect(verifyDatabase(database(), { digestColumns: ['nme'] })).rejects.toMatchObject({
      code: 'USAGE',
    });
  });
});
