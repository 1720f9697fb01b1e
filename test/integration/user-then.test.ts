import { beforeAll, describe, expect, test } from '@jest/globals';
import { parseMoment, userThen } from '../../src/app/user-then.ts';
import { cud, openApplier, rollback } from '../support/apply-harness.ts';
import { toJson } from '../../src/cli/json.ts';
import { useTestDatabase } from '../support/test-database.ts';
import { applyStory } from '../support/verify-harness.ts';

const database = useTestDatabase();
const NOW = Date.UTC(2026, 5, 1);

async function then(userId: string, at: string): Promise<unknown> {
  const { row, offset } = await userThen(database(), userId, at, NOW);
  return { row: JSON.parse(toJson(row)) as unknown, offset: Number(offset) };
}

describe('a user as of then', () => {
  beforeAll(async () => {
    await applyStory(database());
    const applier = await openApplier(database());
    await applier.apply([cud(10, 'update', 'a', { age: 5 }), cud(11, 'update', 'a', { age: 6 })], 12n);
    await applier.apply([cud(12, 'update', 'a', { email: null }), rollback(13, 'a', [3])], 14n);
  });

  test.each([
    ['a', '0', { offset: 0, row: { name: 'A', age: 1, email: 'a@x' } }],
    ['a', '2', { offset: 0, row: { name: 'A', age: 1 } }],
    // Offset 3 is rolled back by now, so the history as it stands is without it.
    ['a', '3', { offset: 3, row: { name: 'A', age: 1 } }],
    ['a', '10', { offset: 10, row: { name: 'A', age: 5, email: 'a@x' } }],
    ['a', '11', { offset: 11, row: { age: 6, email: 'a@x' } }],
    ['a', '999', { offset: 13, row: { age: 6, email: null } }],
    ['a', '@2026-01-01T00:00:10Z', { offset: 10, row: { age: 5 } }],
    ['a', '2026-01-01T00:00:11Z', { offset: 11, row: { age: 6 } }],
    ['c', '@-1h', { offset: 4, row: null }],
    ['c', '2', { offset: 2, row: { name: 'C' } }],
  ])('%s at %s', async (userId, at, expected) => {
    expect(await then(userId, at)).toMatchObject(expected);
  });

  test('an offset names its partition where events lie in several, as after growth', async () => {
    const { pool, schema } = database();
    const applier = await openApplier(database());
    await applier.apply(
      [
        cud(14, 'create', 'g', { age: 1 }),
        cud(15, 'update', 'g', { age: 2 }),
        cud(16, 'update', 'g', { age: 3 }),
      ],
      17n,
    );
    expect(await then('g', '0@15')).toMatchObject({ row: { age: 2 } });
    await expect(then('g', '1@15')).rejects.toMatchObject({ code: 'USER_ROW_NOT_FOUND' });
    // As if the last one had come by a partition that was added: its offsets begin anew.
    await pool.query(
      `update ${schema}.ledger set generation = 1, partition = 1, "offset" = 0 where user_id = 'g' and "offset" = 16`,
    );
    await expect(then('g', '15')).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/0, 1$/),
    });
    expect(await then('g', '0@14')).toMatchObject({ row: { age: 1 } });
    expect(await then('g', '0@999')).toMatchObject({ offset: 15, row: { age: 2 } });
    expect(await then('g', '1@0')).toMatchObject({ offset: 0, row: { age: 3 } });
  });

  test('is not found before its first event, and said so where it was pruned', async () => {
    await expect(then('c', '1')).rejects.toMatchObject({ code: 'USER_ROW_NOT_FOUND' });
    const { pool, schema } = database();
    await pool.query(
      `update ${schema}.ledger set data = null, before = null where user_id = 'a' and "offset" < 10`,
    );
    await expect(then('a', '1')).rejects.toMatchObject({ code: 'USER_ROW_NOT_FOUND' });
    expect(await then('a', '10')).toMatchObject({ row: { name: 'A', age: 5 } });
  });

  test('takes a number for an offset, however large, and for a time behind an @', () => {
    expect(parseMoment('1769860800', NOW)).toEqual({ offset: 1769860800n, partition: null });
    expect(parseMoment('@1769860800', NOW)).toEqual({ timestamp: 1769860800_000 });
  });

  test('refuses what is neither an offset nor a time', () => {
    for (const text of ['', 'soon', '-5', '@', '12:13', '1@', '1@x'])
      expect(() => parseMoment(text, NOW)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});
