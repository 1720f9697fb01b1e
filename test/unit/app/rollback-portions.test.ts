import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { dealtOut, fullestPartition, readPortions, slices } from '../../../src/app/rollback/portions.ts';
import type { UserTargets } from '../../../src/app/rollback/targets.ts';
import type { UserPlan } from '../../../src/app/rollback/user-plan.ts';

const user = (n: number, partition: number): UserTargets => {
  const userId = `u${String(n)}`;
  return { userId, rows: [{ eventId: `e${String(n)}`, partition }] };
};
const users = (partitions: readonly number[]): UserTargets[] => partitions.map((at, n) => user(n, at));
const partitionOf = ({ rows }: UserTargets): number | undefined => rows[0]?.partition;

describe('portions of a bulk', () => {
  test('hold each user once, in order, none larger than it may be', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.integer({ min: 1, max: 9 }), (count, size) => {
        const all = users(Array.from({ length: count }, () => 0));
        const portions = slices(all, size, 2);
        expect(portions.flat()).toEqual(all);
        expect(portions.every(({ length }, at) => length > 0 && length <= (at === 0 ? 2 : size))).toBe(true);
      }),
    );
  });

  test('that are dealt out hold each user once, one partition each, a partition in its order', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3), { maxLength: 40 }), (partitions) => {
        const all = users(partitions);
        const portions = dealtOut(all, 5, 2);
        expect(portions.every((portion) => new Set(portion.map(partitionOf)).size === 1)).toBe(true);
        for (const at of new Set(partitions)) {
          const isOfIt = (one: UserTargets): boolean => partitionOf(one) === at;
          expect(portions.flat().filter(isOfIt)).toEqual(all.filter(isOfIt));
        }
        expect(portions.flat()).toHaveLength(all.length);
      }),
    );
  });

  test('take the partitions in turn', () => {
    const dealt = dealtOut(users([0, 0, 0, 0, 0, 1, 1, 1]), 2, 1);
    expect(dealt.map((portion) => [partitionOf(portion[0] ?? user(0, -1)), portion.length])).toEqual([
      [0, 1],
      [1, 2],
      [0, 2],
      [1, 1],
      [0, 2],
    ]);
  });

  test('are read one ahead of the one in hand, and not at all where there are none', async () => {
    const asked: (readonly string[])[] = [];
    const read = (ids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> => {
      asked.push(ids);
      return Promise.resolve(new Map(ids.map((id) => [id, [`history of ${id}`]])));
    };
    const { signal } = new AbortController();
    const seen: unknown[] = [];
    for await (const portion of readPortions(slices(users([0, 0, 0]), 1), signal, read))
      seen.push([portion.map(({ history }) => history), asked.length]);
    expect(seen).toEqual([
      [[['history of u0']], 2],
      [[['history of u1']], 3],
      [[['history of u2']], 3],
    ]);
    expect((await readPortions([], signal, read).next()).done).toBe(true);
    expect(asked).toHaveLength(3);
  });
});

const planOf = (n: number, partition: number): UserPlan => ({
  userId: `u${String(n)}`,
  targets: [`e${String(n)}`],
  partition,
  outlook: {
    kind: 'decided',
    mode: 'only',
    later: [],
    decision: { isAccepted: true, withdraws: [] },
    upTo: null,
  },
  pending: [],
  underWay: null,
  failedHere: null,
  isTriedOut: false,
  now: null,
  then: null,
  changes: [],
  obstacle: null,
});

async function* inPortions(
  portions: readonly (readonly UserPlan[])[],
): AsyncGenerator<readonly UserPlan[], void> {
  yield* portions;
  await Promise.resolve();
}

async function collected(
  portions: AsyncGenerator<readonly UserPlan[], void>,
): Promise<(readonly UserPlan[])[]> {
  const all: (readonly UserPlan[])[] = [];
  for await (const portion of portions) all.push(portion);
  return all;
}

describe('plans by partition', () => {
  test('come out once each, one partition a portion, a partition in its order', async () => {
    const partitions = fc.array(fc.array(fc.nat(3), { maxLength: 12 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(partitions, async (sketched) => {
        let n = 0;
        const portions = sketched.map((portion) => portion.map((partition) => planOf(n++, partition)));
        const out = await collected(fullestPartition(inPortions(portions)));
        const isOf = (at: number) => (plan: UserPlan) => plan.partition === at;
        for (const at of [0, 1, 2, 3])
          expect(out.flat().filter(isOf(at))).toEqual(portions.flat().filter(isOf(at)));
        expect(out.every((portion) => new Set(portion.map(({ partition }) => partition)).size <= 1)).toBe(
          true,
        );
      }),
    );
  });

  test('go out while more come in: the partition with the most of them, one for each portion', async () => {
    const portion = (...partitions: number[]): UserPlan[] => partitions.map((at, n) => planOf(n, at));
    const out = await collected(
      fullestPartition(inPortions([portion(0, 1, 1), portion(0, 2, 0), portion(1, 2)])),
    );
    expect(out.map((plans) => plans.map(({ partition }) => partition))).toEqual([
      [1, 1],
      [0, 0, 0],
      [2, 2],
      [1],
    ]);
  });
});
