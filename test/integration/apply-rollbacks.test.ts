import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  cud,
  openApplier,
  prepareUsers,
  readStatuses,
  readUsers,
  rollback,
} from '../support/apply-harness.ts';
import { useTestDatabase } from '../support/test-database.ts';

const database = useTestDatabase();
beforeEach(async () => {
  await prepareUsers(database());
  const { pool, schema } = database();
  await pool.query(`truncate public.users, ${schema}.ledger, ${schema}.position, ${schema}.attempt`);
});

const statuses = (): Promise<string[]> => readStatuses(database());

describe('a rollback', () => {
  test('withdraws an update and executes what stands after it again', async () => {
    const applier = await openApplier(database());
    await applier.apply(
      [
        cud(0, 'create', 'a', { name: 'A', age: 1 }),
        cud(1, 'update', 'a', { name: 'B' }),
        cud(2, 'update', 'a', { age: 2 }),
        rollback(3, 'a', [1]),
      ],
      4n,
    );
    expect((await readUsers(database()))['a']).toMatchObject({ name: 'A', age: 2 });
    expect(await statuses()).toEqual(['applied', 'rolled_back', 'applied', 'applied']);
    await applier.apply([rollback(4, 'a', [3])], 5n);
    expect((await readUsers(database()))['a']).toMatchObject({ name: 'B', age: 2 });
    expect(await statuses()).toEqual(['applied', 'applied', 'applied', 'rolled_back', 'applied']);
  });

  test('withdraws a failed event and releases what it held back', async () => {
    const applier = await openApplier(database());
    await applier.apply([cud(0, 'create', 'a', { name: 'A' }), cud(1, 'update', 'a', { name: 'bad' })], 2n);
    await applier.apply([cud(2, 'update', 'a', { age: 7 }), cud(3, 'update', 'a', { age: 8 })], 4n);
    expect(await statuses()).toEqual(['applied', 'failed DATABASE_CONSTRAINT', 'parked', 'parked']);
    await applier.apply([rollback(4, 'a', [1])], 5n);
    expect((await readUsers(database()))['a']).toMatchObject({ name: 'A', age: 8 });
    expect(await statuses()).toEqual([
      'applied',
      'rolled_back DATABASE_CONSTRAINT',
      'applied',
      'applied',
      'applied',
    ]);
  });

  test('brings a deleted row back whole, with columns that no event carries', async () => {
    const { pool } = database();
    await pool.query(
      `alter table public.users add column if not exists secret text generated always as ('s' || name) stored`,
    );
    const applier = await openApplier(database());
    await applier.apply([cud(0, 'create', 'a', { name: 'A', email: 'a@x' })], 1n);
    await applier.apply([cud(1, 'delete', 'a')], 2n);
    expect(await readUsers(database())).toEqual({});
    await applier.apply([rollback(2, 'a', [1])], 3n);
    expect((await readUsers(database()))['a']).toMatchObject({ name: 'A', email: 'a@x', secret: 'sA' });
  });

  test('is refused where an event would stand that cannot be executed, and blocks nobody', async () => {
    const applier = await openApplier(database());
    await applier.apply(
      [cud(0, 'create', 'a', { name: 'A' }), cud(1, 'update', 'a', { age: 1 }), rollback(2, 'a', [0])],
      3n,
    );
    expect(await statuses()).toEqual(['applied', 'applied', 'refused WOULD_INVALIDATE']);
    await applier.apply([rollback(3, 'a', [0], { mode: 'cascade' }), rollback(4, 'b', [77])], 5n);
    expect(await readUsers(database())).toEqual({});
    expect(await statuses()).toEqual([
      'rolled_back',
      'rolled_back',
      'refused WOULD_INVALIDATE',
      'applied',
      'refused NOT_FOUND',
    ]);
  });

  test('fails on a row that drifted, and parks the user', async () => {
    const applier = await openApplier(database());
    await applier.apply([cud(0, 'create', 'a', { name: 'A' }), cud(1, 'create', 'b', { name: 'B' })], 2n);
    await applier.apply([cud(2, 'update', 'a', { age: 1 })], 3n);
    await database().pool.query(`update public.users set name = 'tampered' where user_id = 'a'`);
    await applier.apply(
      [rollback(3, 'a', [2]), rollback(4, 'b', [1]), cud(5, 'update', 'a', { age: 9 })],
      6n,
    );
    expect(await statuses()).toEqual([
      'applied',
      'rolled_back',
      'applied',
      'failed DRIFT',
      'applied',
      'parked',
    ]);
    expect(await readUsers(database())).toMatchObject({ a: { name: 'tampered', age: 1 } });
  });
});
