import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Operation } from '../../../src/domain/event.ts';
import { standingOf, type HistoryEntry } from '../../../src/domain/history.ts';
import { decideRollback } from '../../../src/domain/rollback-decision.ts';

function entry(
  index: number,
  operation: Operation | null,
  withdraws: readonly string[] | null = null,
): HistoryEntry {
  const nothing = { fields: {}, beforeExists: null, hasImage: false, blockedBy: null, error: null };
  return {
    eventId: `e${String(index)}`,
    partition: 0,
    offset: BigInt(index),
    timestamp: index,
    operation,
    status: 'applied',
    withdraws,
    ...nothing,
  };
}

const history = (...operations: (Operation | null)[]): HistoryEntry[] =>
  operations.map((operation, i) => entry(i, operation));
const ask = (targets: string[], mode: 'only' | 'cascade' = 'only', upTo: string | null = null) => ({
  targets,
  mode,
  upTo,
  rules: 'strict' as const,
});

describe('a rollback', () => {
  test('withdraws its targets, and with cascade every later standing event', () => {
    const past = history('create', 'update', 'update');
    expect(decideRollback(past, ask(['e1']))).toEqual({ isAccepted: true, withdraws: ['e1'] });
    expect(decideRollback(past, ask(['e1'], 'cascade'))).toEqual({
      isAccepted: true,
      withdraws: ['e1', 'e2'],
    });
  });

  test('is refused NOT_FOUND where no target is known, and ignores those that are not', () => {
    expect(decideRollback(history('create'), ask(['x']))).toMatchObject({
      isAccepted: false,
      code: 'NOT_FOUND',
    });
    expect(decideRollback(history('create', 'update'), ask(['x', 'e1']))).toMatchObject({
      withdraws: ['e1'],
    });
  });

  test('is refused where an update would stand without its create', () => {
    expect(decideRollback(history('create', 'update'), ask(['e0']))).toMatchObject({
      code: 'WOULD_INVALIDATE',
      events: ['e1'],
    });
    expect(decideRollback(history('create', 'update'), { ...ask(['e0']), rules: 'lenient' })).toMatchObject({
      isAccepted: true,
    });
  });

  test('is not refused for what stood invalid before', () => {
    expect(decideRollback(history('create', 'create', 'update'), ask(['e2']))).toMatchObject({
      isAccepted: true,
    });
  });

  test('that lists a rollback brings back what it withdrew', () => {
    const past = [...history('create', 'update'), entry(2, 'rollback', ['e1']), entry(3, 'rollback', ['e2'])];
    expect([...standingOf(past)].toSorted()).toEqual(['e0', 'e1', 'e3']);
    expect([...standingOf([...past, entry(4, 'rollback', ['e3'])])].toSorted()).toEqual(['e0', 'e2', 'e4']);
  });

  test('that would bring a create back over a newer one is refused', () => {
    const past = [...history('create'), entry(1, 'rollback', ['e0']), entry(2, 'create')];
    expect(decideRollback(past, ask(['e1']))).toMatchObject({ code: 'WOULD_INVALIDATE', events: ['e2'] });
  });

  test('with cascade is refused PLAN_CHANGED where an event came after the plan', () => {
    const past = history('create', 'update', 'update');
    expect(decideRollback(past, ask(['e1'], 'cascade', 'e1'))).toMatchObject({
      code: 'PLAN_CHANGED',
      events: ['e2'],
    });
    expect(decideRollback(past, ask(['e1'], 'cascade', 'e2'))).toMatchObject({ isAccepted: true });
  });

  test('of what is withdrawn already is accepted and changes nothing', () => {
    const past = [...history('create', 'update'), entry(2, 'rollback', ['e1'])];
    const again = decideRollback(past, ask(['e1']));
    expect(again).toEqual({ isAccepted: true, withdraws: ['e1'] });
    const after = standingOf([...past, entry(3, 'rollback', ['e1'])]);
    expect([...after].filter((id) => id !== 'e3')).toEqual([...standingOf(past)]);
  });
});

test('a cascade of an event of a user is never refused for validity', () => {
  const operations = fc.array(fc.constantFrom<Operation>('create', 'update', 'delete', 'put'), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(operations, fc.nat(), (kinds, n) => {
      expect(
        decideRollback(history(...kinds), ask([`e${String(n % kinds.length)}`], 'cascade')),
      ).toMatchObject({ isAccepted: true });
    }),
  );
});

test('a rollback and its redo leave standing what stood', () => {
  const operations = fc.array(fc.constantFrom<Operation>('create', 'update', 'delete', 'put'), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(operations, fc.array(fc.nat(11), { minLength: 1, maxLength: 3 }), (kinds, targets) => {
      const past = history(...kinds);
      const withdraws = targets.map((n) => `e${String(n % kinds.length)}`);
      const redone = [...past, entry(50, 'rollback', withdraws), entry(51, 'rollback', ['e50'])];
      expect([...standingOf(redone)].filter((id) => id !== 'e51').toSorted()).toEqual(
        [...standingOf(past)].toSorted(),
      );
    }),
  );
});
