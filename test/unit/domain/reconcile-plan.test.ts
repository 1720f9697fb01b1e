import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Operation, Status } from '../../../src/domain/event.ts';
import type { HistoryEntry } from '../../../src/domain/history.ts';
import { needsDetail, planReconcile, type ReconcilePlan } from '../../../src/domain/reconcile-plan.ts';
import { outlook } from '../../../src/domain/rollback-plan.ts';

interface Sketch {
  readonly operation?: Operation | null;
  readonly status?: Status;
  readonly withdraws?: readonly string[];
  /** The row before it; left out: folded into an earlier event's image. */
  readonly before?: boolean;
}

function history(...sketches: Sketch[]): HistoryEntry[] {
  return sketches.map(({ operation = 'update', status = 'applied', withdraws, before }, index) => ({
    eventId: `e${String(index)}`,
    partition: 0,
    offset: BigInt(index),
    timestamp: index,
    operation: withdraws === undefined ? operation : 'rollback',
    status,
    fields: {},
    withdraws: withdraws ?? null,
    beforeExists: before ?? null,
    hasImage: before === true,
    blockedBy: null,
    error: null,
  }));
}

const steps = ({ steps: all }: ReconcilePlan): string[] =>
  all.map(({ kind, entry }) => `${kind} ${entry.eventId}`);

describe('planning', () => {
  test('does nothing where the ledger follows what stands', () => {
    const done = history(
      { before: false, operation: 'create' },
      { status: 'rolled_back' },
      { withdraws: ['e1'] },
    );
    expect(planReconcile(done)).toEqual({ rewindTo: null, steps: [] });
  });

  test('rewinds to the image at or before the first applied event that is touched, and executes from there', () => {
    const one = history({ operation: 'create', before: false }, { before: true }, {}, { withdraws: ['e2'] });
    const plan = planReconcile(one);
    expect(plan.rewindTo?.eventId).toBe('e1');
    expect(steps(plan)).toEqual(['execute e1', 'withdraw e2', 'keep e3']);
  });

  test('a skip or retry leaves a rollback that failed alone, and parks behind it what it held back', () => {
    const waiting = history(
      { operation: 'create', before: false },
      { before: true },
      { status: 'failed' },
      { status: 'parked' },
      { status: 'failed', withdraws: ['e1'] },
      { status: 'parked' },
    );
    const skipped = planReconcile(waiting, { skip: new Set(['e2']) });
    expect(skipped.rewindTo).toBeNull();
    expect(steps(skipped)).toEqual(['skip e2', 'execute e3', 'keep e4', 'park e5']);
    expect(steps(planReconcile(waiting, { skip: new Set(['e4']) }))).toEqual(['skip e4', 'execute e5']);
    const retried = planReconcile(waiting, { retry: new Set(['e4']) });
    expect(retried.rewindTo?.eventId).toBe('e1');
    expect(steps(retried)).toEqual(['withdraw e1', 'execute e2', 'execute e3', 'complete e4', 'execute e5']);
  });

  test('rewinds nothing where no applied event is touched, and releases what was parked', () => {
    const blocked = history(
      { before: false },
      { status: 'failed' },
      { status: 'parked' },
      { withdraws: ['e1'] },
    );
    const plan = planReconcile(blocked);
    expect(plan.rewindTo).toBeNull();
    expect(steps(plan)).toEqual(['withdraw e1', 'execute e2', 'keep e3']);
  });

  test('brings back what a redo lets stand again', () => {
    const redone = history(
      { before: true },
      { status: 'rolled_back' },
      { withdraws: ['e1'] },
      { before: true },
      { withdraws: ['e2'] },
    );
    const plan = planReconcile(redone);
    expect(plan.rewindTo?.eventId).toBe('e3');
    expect(steps(plan)).toEqual(['execute e1', 'withdraw e2', 'execute e3', 'keep e4']);
  });

  test('passes over what was skipped, and a rollback that was skipped withdraws nothing here', () => {
    const skipped = history({ before: true }, { status: 'skipped', withdraws: ['e0'] }, { status: 'failed' });
    expect(steps(planReconcile(skipped, { retry: new Set(['e2']) }))).toEqual(['execute e2']);
  });

  test('completes a rollback that could not be executed before', () => {
    const failed = history({ before: true }, { status: 'failed', withdraws: ['e0'] }, { status: 'parked' });
    expect(steps(planReconcile(failed, { retry: new Set(['e1']) }))).toEqual([
      'withdraw e0',
      'complete e1',
      'execute e2',
    ]);
  });
});

describe('the outlook of a rollback', () => {
  const past = history({ operation: 'create', before: false }, { before: true }, { before: true });
  const wish = { targets: ['e1'], mode: null, rules: 'strict' } as const;

  test('asks where later events are in the way, and says which', () => {
    expect(outlook(past, wish)).toMatchObject({ kind: 'choose', later: ['e2'], upTo: 'e2' });
    expect(outlook(past, { ...wish, targets: ['e2'] })).toMatchObject({ kind: 'decided', later: [] });
    expect(outlook(past, { ...wish, mode: 'cascade' })).toMatchObject({ kind: 'decided', mode: 'cascade' });
  });

  test('has nothing to do where everything is withdrawn already', () => {
    const again = history(
      { operation: 'create', before: false },
      { status: 'rolled_back' },
      { withdraws: ['e1'] },
    );
    expect(outlook(again, wish)).toMatchObject({ kind: 'already' });
  });
});

/** As it is read for a decision alone. */
const forDecision = (entries: readonly HistoryEntry[]): HistoryEntry[] =>
  entries.map((entry) => ({
    ...entry,
    offset: 0n,
    timestamp: 0,
    fields: null,
    beforeExists: null,
    hasImage: false,
    error: null,
  }));

const anyHistory = fc
  .array(
    fc.record({
      operation: fc.constantFrom<Operation | null>('create', 'update', 'delete', 'put', null),
      status: fc.constantFrom<Status>('applied', 'failed', 'parked', 'skipped', 'rolled_back'),
      targets: fc.option(fc.array(fc.nat(7), { maxLength: 3 }), { freq: 3 }),
      before: fc.option(fc.boolean()),
      isUnreadable: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((sketches) =>
    history(
      ...sketches.map(({ targets, before, ...sketch }, at) => ({
        ...sketch,
        ...(before === null ? {} : { before }),
        ...(targets === null ? {} : { withdraws: targets.filter((n) => n < at).map((n) => `e${String(n)}`) }),
      })),
    ).map((entry, at) =>
      sketches[at]?.isUnreadable === true && entry.operation === null
        ? { ...entry, error: { code: 'UNREADABLE' as const, message: 'x' } }
        : entry,
    ),
  );

test('a plan that needs no detail is the same on a history that was read for a decision alone', () => {
  let without = 0;
  fc.assert(
    fc.property(anyHistory, (entries) => {
      const [whole, bare] = [planReconcile(entries), planReconcile(forDecision(entries))];
      if (needsDetail(bare)) return;
      without += 1;
      expect(steps(bare)).toEqual(steps(whole));
      expect(bare.rewindTo).toBeNull();
      expect(whole.rewindTo).toBeNull();
    }),
    { numRuns: 3_000 },
  );
  expect(without).toBeGreaterThan(300);
});
