import { beforeAll, expect, test } from '@jest/globals';
import { portionsOf } from '../../src/app/verify/portions.ts';
import { cud, openApplier, prepareUsers } from '../support/apply-harness.ts';
import { useTestDatabase } from '../support/test-database.ts';
import { differencesOf, repairDatabase, verifyDatabase } from '../support/verify-harness.ts';

const USERS = 6;
const EVENTS_OF_A_USER = 3;
/** Characters that a value carries: a user has 1.5 MiB of them in all. */
const LONG = 512 * 1024;

const database = useTestDatabase();
const userIds = Array.from({ length: USERS }, (_, n) => `u${String(n)}`);

beforeAll(async () => {
  await prepareUsers(database());
  const applier = await openApplier(database());
  const count = USERS * EVENTS_OF_A_USER;
  for (let at = 0; at < count; at++) {
    const bio = String(at).repeat(LONG).slice(0, LONG);
    const operation = at < USERS ? 'create' : 'update';
    await applier.apply([cud(at, operation, userIds[at % USERS] ?? '', { bio })], BigInt(at + 1));
  }
}, 60_000);

async function portions(ids: readonly string[]): Promise<readonly (readonly string[])[]> {
  const { pool, schema } = database();
  const found: (readonly string[])[] = [];
  for await (const portion of portionsOf(pool, schema, ids)) found.push(portion);
  return found;
}

test('long histories are read few at once, short ones many, each user once', async () => {
  expect(await portions(userIds)).toEqual([userIds.slice(0, 2), userIds.slice(2, 4), userIds.slice(4)]);
  const nobodies = Array.from({ length: 1200 }, (_, n) => `nobody${String(n)}`);
  const many = await portions(nobodies);
  expect(many.map(({ length }) => length)).toEqual([500, 500, 200]);
  expect(many.flat()).toEqual(nobodies);
});

test('a table of such users is proven and set again', async () => {
  await database().pool.query('truncate public.users');
  const { findings } = await verifyDatabase(database());
  expect(findings.wrong).toHaveLength(USERS);
  expect(await repairDatabase(database(), findings)).toMatchObject({ inserted: USERS, refused: [] });
  expect(await differencesOf(database())).toEqual([]);
});
