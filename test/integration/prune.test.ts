import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openLedger } from '../../src/app/consume/open-group.ts';
import { prune } from '../../src/app/prune.ts';
import type { CudEvent, JsonObject } from '../../src/domain/event.ts';
import {
  cud,
  openApplier,
  prepareUsers,
  readStatuses,
  readUsers,
  rollback,
} from '../support/apply-harness.ts';
import { useTestDatabase } from '../support/test-database.ts';
import { differencesOf, repairDatabase, verifyDatabase } from '../support/verify-harness.ts';

const database = useTestDatabase();
const ledger = (): string => `${database().schema}.ledger`;
const run = (sql: string): Promise<unknown> => database().pool.query(sql);

beforeEach(wipe);
async function wipe(): Promise<void> {
  await prepareUsers(database());
  const { schema } = database();
  await run(`truncate public.users, ${schema}.ledger, ${schema}.position, ${schema}.attempt, ${schema}.base`);
}

/** Makes everything decided on so far a hundred days old. */
const age = (): Promise<unknown> =>
  run(`update ${ledger()} set decided_at = decided_at - interval '100 days'`);

async function pruneOld(isDryRun = false): Promise<{ readonly users: number; readonly events: number }> {
  const { users, events } = await prune(database(), await openLedger(database()), {
    before: new Date(Date.now() - 90 * 86_400_000),
    isDryRun,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
  return { users, events };
}

/** Offsets of events that hold data, an image or an error's words. */
async function kept(): Promise<number[]> {
  const { rows } = await database().pool.query<{ at: number }>(
    `select "offset"::int as at from ${ledger()} where data is not null or before is not null or raw is not null or error_message is not null
     order by 1`,
  );
  return rows.map(({ at }) => at);
}

/** `change` creates or updates, as strict rules want it; now and then a delete or create fails. */
function toEvent(
  at: number,
  operation: 'change' | 'create' | 'delete' | 'put',
  user: string,
  fields: JsonObject,
  there: Set<string>,
): CudEvent {
  if (operation === 'delete') {
    if (!there.delete(user)) return cud(at, 'put', user, fields);
    return cud(at, 'delete', user);
  }
  const isThere = there.has(user);
  there.add(user);
  if (operation === 'change') return cud(at, isThere ? 'update' : 'create', user, fields);
  return cud(at, operation === 'create' && at % 5 === 0 ? 'create' : 'put', user, fields);
}

describe('pruning', () => {
  test('empties old events, and the table is proven all the same', async () => {
    const applier = await openApplier(database());
    await applier.apply(
      [
        cud(0, 'create', 'a', { name: 'A', age: 1, plan: 'x' }),
        cud(1, 'update', 'a', { age: 2 }),
        cud(2, 'create', 'b', { name: 'B' }),
      ],
      3n,
    );
    await applier.apply([cud(3, 'delete', 'b')], 4n);
    await age();
    expect(await pruneOld(true)).toEqual({ users: 2, events: 4 });
    expect(await kept()).toEqual([0, 1, 2, 3]);
    expect(await pruneOld()).toEqual({ users: 2, events: 4 });
    expect(await kept()).toEqual([]);
    expect(await differencesOf(database())).toEqual([]);
    expect((await verifyDatabase(database())).result.untold).toBe(0);
    expect(await pruneOld()).toEqual({ users: 0, events: 0 });

    await run(`update public.users set age = 9, attributes = '{}'`);
    expect(await differencesOf(database())).toEqual([
      'a.age: 2, not 9',
      'a.attributes: {"plan": "x"}, not {}',
    ]);
    await run(`delete from public.users`);
    await repairDatabase(database(), (await verifyDatabase(database())).findings);
    expect(await readUsers(database())).toMatchObject({
      a: { name: 'A', age: 2, attributes: { plan: 'x' } },
    });
  });

  test('keeps the image that what is young needs, with the batch that it belongs to', async () => {
    const applier = await openApplier(database());
    await applier.apply([cud(0, 'create', 'a', { name: 'A' })], 1n);
    await applier.apply([cud(1, 'update', 'a', { age: 1 }), cud(2, 'update', 'a', { age: 2 })], 3n);
    await age();
    await run(`update ${ledger()} set decided_at = now() where "offset" = 2`);
    await pruneOld();
    // The image of offset 2 is the one of offset 1: one a user and batch.
    expect(await kept()).toEqual([1, 2]);
    expect(await differencesOf(database())).toEqual([]);
    await applier.apply([rollback(3, 'a', [2])], 4n);
    expect((await readUsers(database()))['a']).toMatchObject({ name: 'A', age: 1 });
    expect(await differencesOf(database())).toEqual([]);
  });

  test('counts before it empties: rollback events, which stay as they are, are no part of it', async () => {
    const applier = await openApplier(database());
    await applier.apply([cud(0, 'create', 'a', { name: 'A' }), cud(1, 'update', 'a', { age: 1 })], 2n);
    await applier.apply([rollback(2, 'a', [1])], 3n);
    await age();
    expect(await pruneOld(true)).toEqual({ users: 1, events: 2 });
    expect(await pruneOld()).toEqual({ users: 1, events: 2 });
    expect(await pruneOld(true)).toEqual({ users: 0, events: 0 });
  });

  test('what is foreign to the pruned events stays a difference when later events come', async () => {
    const applier = await openApplier(database());
    await applier.apply([cud(0, 'create', 'a', { name: 'A' })], 1n);
    await age();
    await pruneOld();
    await run(`update public.users set name = 'X'`);
    const again = await openApplier(database());
    await again.apply([cud(1, 'update', 'a', { age: 5 })], 2n);
    expect(await differencesOf(database())).toEqual(['a.name: A, not X']);
    await age();
    await pruneOld();
    expect(await differencesOf(database())).toEqual(['a.name: A, not X']);
  });

  test('leaves users alone who have something failed or parked', async () => {
    const applier = await openApplier(database());
    await applier.apply([cud(0, 'create', 'a', { name: 'A' }), cud(1, 'update', 'a', { name: 'bad' })], 2n);
    await applier.apply([cud(2, 'update', 'a', { age: 3 })], 3n);
    await age();
    expect(await pruneOld()).toEqual({ users: 0, events: 0 });
    await applier.apply([rollback(3, 'a', [1])], 4n);
    expect((await readUsers(database()))['a']).toMatchObject({ name: 'A', age: 3 });
  });

  test('a rollback of what was pruned fails by name, parks its user, and is skipped', async () => {
    const applier = await openApplier(database());
    await applier.apply([cud(0, 'create', 'a', { name: 'A' }), cud(1, 'update', 'a', { name: 'B' })], 2n);
    await age();
    await pruneOld();
    const again = await openApplier(database());
    await again.apply([rollback(2, 'a', [1])], 3n);
    expect(await readStatuses(database())).toEqual(['applied', 'applied', 'failed IMAGE_PRUNED']);
    expect(await readUsers(database())).toMatchObject({ a: { name: 'B' } });
  });

  test('a replay of pruned events changes nothing', async () => {
    const applier = await openApplier(database());
    const events = [cud(0, 'create', 'a', { name: 'A' }), cud(1, 'update', 'a', { name: 'B' })];
    await applier.apply(events, 2n);
    await age();
    await pruneOld();
    const again = await openApplier(database());
    await again.apply(
      events.map((event, at) => ({ ...event, offset: BigInt(at + 2) })),
      4n,
    );
    expect(await readStatuses(database())).toEqual(['applied', 'applied']);
    expect(await differencesOf(database())).toEqual([]);
  });

  test('goes on from an earlier pruning', async () => {
    const applier = await openApplier(database());
    await applier.apply([cud(0, 'create', 'a', { name: 'A', plan: 'x' })], 1n);
    await age();
    await pruneOld();
    const again = await openApplier(database());
    await again.apply([cud(1, 'update', 'a', { age: 5, seats: 2 })], 2n);
    expect(await differencesOf(database())).toEqual([]);
    await age();
    expect(await pruneOld()).toEqual({ users: 1, events: 1 });
    await run(`update public.users set name = 'X', age = 6`);
    expect(await differencesOf(database())).toEqual(['a.name: A, not X', 'a.age: 5, not 6']);
  });

  test('whatever the history and wherever it is cut by age, the table stays proven', async () => {
    const operations = fc.constantFrom('change', 'change', 'delete', 'put', 'create');
    const steps = fc.array(
      fc.record({
        operation: operations,
        user: fc.constantFrom('a', 'b'),
        fields: fc.record(
          { name: fc.constantFrom('x', 'y'), age: fc.nat(9), plan: fc.nat(3) },
          { requiredKeys: [] },
        ),
        isCut: fc.boolean(),
        isPruned: fc.boolean(),
      }),
      { minLength: 1, maxLength: 14 },
    );
    let pruned = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        await wipe();
        let applier = await openApplier(database());
        let pending = [];
        const there = new Set<string>();
        for (const [at, { operation, user, fields, isCut, isPruned }] of history.entries()) {
          pending.push(toEvent(at, operation, user, { ...fields }, there));
          if (!isCut && !isPruned) continue;
          await applier.apply(pending, BigInt(at + 1));
          pending = [];
          if (!isPruned) continue;
          await run(
            `update ${ledger()} set decided_at = decided_at - interval '100 days' where "offset" % 3 <> 0 or "offset" < ${String(at - 2)}`,
          );
          pruned += (await pruneOld()).events;
          applier = await openApplier(database());
          expect(await differencesOf(database())).toEqual([]);
        }
        await applier.apply(pending, BigInt(history.length));
        expect(await differencesOf(database())).toEqual([]);
        expect((await verifyDatabase(database())).result.untold).toBe(0);
      }),
      { numRuns: 30 },
    );
    expect(pruned).toBeGreaterThan(30);
  }, 120_000);
});
