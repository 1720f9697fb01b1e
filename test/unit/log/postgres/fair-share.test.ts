import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { fairShare } from '../../../../src/log/postgres/fair-share.ts';

/** Every member acts on what it sees, in the order given, until nobody has anything to do. Returns the moves it took. */
function settle(members: readonly string[], owners: (string | null)[], order: readonly string[]): number {
  let moves = 0;
  for (let isChanged = true; isChanged;) {
    isChanged = false;
    for (const member of order) {
      const view = { members, owners: owners.map((owner, partition) => ({ partition, owner })) };
      const { release, claim } = fairShare(view, member);
      for (const partition of release) owners[partition] = null;
      for (const partition of claim) owners[partition] = member;
      moves += claim.length;
      isChanged ||= release.length > 0 || claim.length > 0;
    }
  }
  return moves;
}

const groups = fc
  .record({ memberCount: fc.integer({ min: 1, max: 6 }), partitionCount: fc.integer({ min: 0, max: 20 }) })
  .chain(({ memberCount, partitionCount }) => {
    const members = Array.from({ length: memberCount }, (_, at) => `member-${at}`);
    return fc.record({
      members: fc.constant(members),
      owners: fc.array(fc.option(fc.constantFrom(...members)), {
        minLength: partitionCount,
        maxLength: partitionCount,
      }),
      order: fc.shuffledSubarray(members, { minLength: memberCount }),
    });
  });

test('every partition comes to one member, evenly, whoever acts first and whatever they had', () => {
  fc.assert(
    fc.property(groups, ({ members, owners, order }) => {
      settle(members, owners, order);
      const sizes = members.map((member) => owners.filter((owner) => owner === member).length);
      expect(owners.every((owner) => owner !== null)).toBe(true);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      // Who has been there longer has the larger share.
      expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
    }),
  );
});

test('nothing moves but what nobody owned or somebody had too much of', () => {
  fc.assert(
    fc.property(groups, ({ members, owners, order }) => {
      const quota = (rank: number): number =>
        Math.floor(owners.length / members.length) + (rank < owners.length % members.length ? 1 : 0);
      const free = owners.filter((owner) => owner === null).length;
      const surplus = members.map((member, rank) =>
        Math.max(0, owners.filter((owner) => owner === member).length - quota(rank)),
      );
      const expected = free + surplus.reduce((sum, count) => sum + count, 0);
      expect(settle(members, owners, order)).toBe(expected);
    }),
  );
});

test('who is no member has no share', () => {
  const view = { members: ['a'], owners: [{ partition: 0, owner: null }] };
  expect(fairShare(view, 'b')).toEqual({ release: [], claim: [] });
});
