import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CUD_OPERATIONS, ROLLBACK_MODES, type Operation } from '../../../src/domain/event.ts';
import type { ExistingEntry } from '../../../src/domain/history.ts';
import { Outlooks } from '../../../src/domain/outlooks.ts';
import { outlook } from '../../../src/domain/rollback-plan.ts';

interface Case {
  readonly history: readonly ExistingEntry[];
  readonly targets: readonly string[];
}

/** Of one entry: what it is, whether it is wanted, and, of a rollback, how many entries before it are withdrawn. */
interface Sketch {
  readonly operation: Operation | null;
  readonly isWanted: boolean;
  readonly takes: number;
}

const sketches = fc.array(
  fc.record({
    operation: fc.constantFrom(null, 'create', 'update', 'delete', 'put', 'rollback'),
    isWanted: fc.boolean(),
    takes: fc.integer({ min: 1, max: 3 }),
  }) satisfies fc.Arbitrary<Sketch>,
  { maxLength: 5 },
);

function caseOf(user: number, entries: readonly Sketch[], unknown: boolean): Case {
  const ids = entries.map((_, at) => `u${String(user)}e${String(at)}`);
  return {
    history: entries.map(({ operation, takes }, at) => {
      const withdraws = operation === 'rollback' ? ids.slice(Math.max(0, at - takes), at) : null;
      return { eventId: ids[at] ?? '', partition: 0, operation, withdraws };
    }),
    targets: [...ids.filter((_, at) => entries[at]?.isWanted), ...(unknown ? ['somebody else'] : [])],
  };
}

test('histories of one shape have the outlook that each of them has by itself', () => {
  const users = fc.array(fc.tuple(sketches, fc.boolean()), { minLength: 1, maxLength: 30 });
  const modes = fc.constantFrom(null, ...ROLLBACK_MODES);
  fc.assert(
    fc.property(users, modes, fc.constantFrom('strict', 'lenient'), (sketched, mode, rules) => {
      const outlooks = new Outlooks(mode, rules);
      // Each shape comes twice at least, with other ids, and with rollbacks that withdraw something else.
      const alike = sketched.map(([entries, unknown]): (typeof sketched)[number] => [
        entries.map((entry) => ({ ...entry, takes: 1 + (entry.takes % 3) })),
        unknown,
      ]);
      for (const [user, [entries, unknown]] of [...sketched, ...alike].entries()) {
        const { history, targets } = caseOf(user, entries, unknown);
        expect(outlooks.of(history, targets)).toEqual(outlook(history, { targets, mode, rules }));
      }
    }),
    { numRuns: 500 },
  );
});

test('a long history, and more shapes than are remembered, are worked out all the same', () => {
  const outlooks = new Outlooks('cascade', 'strict');
  for (let user = 0; user < 2500; user++) {
    const length = user % 2 === 0 ? 6 : 20;
    const entries = Array.from({ length }, (_, at) => ({
      operation: CUD_OPERATIONS[Math.floor(user / 4 ** (at % 6)) % 4] ?? null,
      isWanted: at === user % length,
      takes: 1,
    }));
    const { history, targets } = caseOf(user, entries, false);
    const expected = outlook(history, { targets, mode: 'cascade', rules: 'strict' });
    expect(outlooks.of(history, targets)).toEqual(expected);
  }
});

test('a shape that is known is not worked out again', () => {
  const outlooks = new Outlooks('only', 'strict');
  const sketched = (['create', 'update'] as const).map((operation, at) => ({
    operation,
    isWanted: at === 1,
    takes: 1,
  }));
  const first = caseOf(1, sketched, false);
  expect(outlooks.of(first.history, first.targets).decision).toEqual({
    isAccepted: true,
    withdraws: ['u1e1'],
  });
  const { history, targets } = caseOf(2, sketched, false);
  const search = (): never => {
    throw new Error('the history was searched');
  };
  const unsearched = Object.assign([...history], { findIndex: search, filter: search });
  expect(() => outlook(unsearched, { targets, mode: 'only', rules: 'strict' })).toThrow('searched');
  expect(outlooks.of(unsearched, targets).decision).toEqual({ isAccepted: true, withdraws: ['u2e1'] });
});
