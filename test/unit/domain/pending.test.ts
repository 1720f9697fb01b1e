import { describe, expect, test } from '@jest/globals';
import { outlook } from '../../../src/domain/rollback-plan.ts';
import { pendingRollbacks, withPending } from '../../../src/domain/pending.ts';
import type { HistoryEntry } from '../../../src/domain/history.ts';
import { cud, eventId, rollback } from '../../support/apply-harness.ts';

/** A history of applied events, as withPending makes it of events that are ahead of nothing. */
const history = (...events: Parameters<typeof withPending>[1]): readonly HistoryEntry[] =>
  withPending([], events).map((entry) => ({ ...entry, status: 'applied' as const }));

const past = history(cud(0, 'create', 'a'), cud(1, 'update', 'a', { name: 'B' }));
const wish = { targets: [eventId(1)], mode: 'only', rules: 'strict' } as const;

describe('what is ahead of a service', () => {
  test('a rollback that is under way has withdrawn its target', () => {
    expect(outlook(past, wish).kind).toBe('decided');
    expect(outlook(withPending(past, [rollback(2, 'a', [1])]), wish).kind).toBe('already');
  });

  test('a rollback that every service will refuse withdraws nothing', () => {
    const refused = [rollback(2, 'a', [0])];
    expect(outlook(withPending(past, refused), wish).kind).toBe('decided');
    expect(pendingRollbacks(past, refused)).toEqual([]);
  });

  test('a redo that is under way brings the target back', () => {
    const ahead = [rollback(2, 'a', [1]), rollback(3, 'a', [2])];
    expect(outlook(withPending(past, ahead), wish).kind).toBe('decided');
    expect(pendingRollbacks(past, ahead).map(({ withdraws }) => withdraws)).toEqual([
      [eventId(1)],
      [eventId(2)],
    ]);
  });

  test('an event that is ahead is in the way, and is the newest that the plan showed', () => {
    const view = outlook(withPending(past, [cud(2, 'update', 'a', { name: 'C' })]), { ...wish, mode: null });
    expect(view).toMatchObject({ kind: 'choose', later: [eventId(2)], upTo: eventId(2) });
  });

  test('what the history has already counts once', () => {
    expect(withPending(past, [cud(1, 'update', 'a', { name: 'B' })])).toBe(past);
  });
});
