import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CudEvent, LogEvent, Rules } from '../../../src/domain/event.ts';
import { fold, PREDICT, type Facts, type FoldResult } from '../../../src/domain/fold.ts';
import { event, MAPPER } from '../../support/pure-service.ts';

const base = {
  mapper: MAPPER,
  refused: new Map<string, never>(),
  deriveId: (e: LogEvent) => `derived-${e.eventId}`,
};

function run(events: readonly LogEvent[], facts: Facts = PREDICT, rules: Rules = 'strict'): FoldResult {
  return fold({ ...base, events, facts, rules });
}

function read(users: Record<string, { exists: boolean; blockedBy?: string }>): Facts {
  const entries = Object.entries(users).map(
    ([id, { exists, blockedBy = null }]) => [id, { exists, blockedBy }] as const,
  );
  return { areRead: true, users: new Map(entries), events: new Map() };
}

const said = ({ decisions }: FoldResult): string[] =>
  decisions.map(({ status, error }) => (error === null ? status : `${status} ${error.code}`));

describe('predicting', () => {
  test('assumes what the rules want, and says so for the statement to verify', () => {
    const { writes } = run([
      event(0, 'create', 'a'),
      event(1, 'update', 'b'),
      event(2, 'delete', 'c'),
      event(3, 'put', 'd'),
    ]);
    expect(writes.map(({ userId, expects, action }) => [userId, expects, action])).toEqual([
      ['a', false, 'insert'],
      ['b', true, 'update'],
      ['c', true, 'delete'],
      ['d', null, 'upsert'],
    ]);
  });

  test('merges what one user’s events set into one write at the first of them', () => {
    const { writes } = run([
      event(0, 'create', 'a', { name: 'A', homeTown: 'X' }),
      event(1, 'update', 'a', { homeTown: 'Y', shoe: 41 }),
      event(2, 'update', 'a', { name: null, hat: true }),
    ]);
    expect(writes).toMatchObject([
      {
        at: 0,
        action: 'insert',
        texts: [null, 'Y', undefined, undefined],
        extra: { shoe: 41, hat: true },
        madeAt: 0,
        touchedAt: 2,
      },
    ]);
  });

  test('a create and a delete in one batch leave nothing to write, and carry the image at the create', () => {
    expect(run([event(0, 'create', 'a'), event(1, 'delete', 'a')]).writes).toMatchObject([
      { at: 0, expects: false, action: 'none' },
    ]);
    expect(
      run([event(0, 'create', 'a'), event(1, 'delete', 'a'), event(2, 'create', 'a')]).writes,
    ).toMatchObject([{ at: 0, expects: false, action: 'insert', madeAt: 2 }]);
  });

  test('ends the batch before a create whose row may exist and is deleted in it', () => {
    const events = [
      event(0, 'delete', 'a'),
      event(1, 'update', 'b'),
      event(2, 'create', 'a'),
      event(3, 'update', 'b'),
    ];
    expect(run(events)).toMatchObject({ taken: 2 });
    expect(run(events.slice(2))).toMatchObject({ taken: 2 });
  });
});

describe('strict rules', () => {
  test('fail a create of a user who exists and changes of one who does not, and park what follows', () => {
    const events = [
      event(0, 'create', 'a'),
      event(1, 'update', 'a'),
      event(2, 'update', 'b'),
      event(3, 'create', 'b'),
      event(4, 'put', 'c'),
    ];
    const result = run(events, read({ a: { exists: true } }));
    expect(said(result)).toEqual([
      'failed USER_EXISTS',
      'parked',
      'failed USER_NOT_FOUND',
      'parked',
      'applied',
    ]);
    expect(result.decisions[1]).toMatchObject({ blockedBy: 'e0' });
  });

  test('park everything of a user whom the ledger says is blocked, and write nothing for them', () => {
    const result = run(
      [event(7, 'update', 'a'), event(8, 'delete', 'a')],
      read({ a: { exists: true, blockedBy: 'e1' } }),
    );
    expect(said(result)).toEqual(['parked', 'parked']);
    expect(result.writes).toEqual([]);
  });
});

describe('lenient rules', () => {
  test('make a create of a user who exists a put, and changes of one who does not a no-op', () => {
    const events = [
      event(0, 'create', 'a', { name: 'N' }),
      event(1, 'update', 'b', { name: 'x' }),
      event(2, 'delete', 'c'),
    ];
    const result = run(events, read({ a: { exists: true } }), 'lenient');
    expect(said(result)).toEqual(['applied', 'applied', 'applied']);
    expect(result.writes.map(({ action }) => action)).toEqual(['update', 'none', 'none']);
  });

  test('end the batch where a put follows an update of a user who may not exist', () => {
    expect(run([event(0, 'update', 'a'), event(1, 'put', 'a')], PREDICT, 'lenient')).toMatchObject({
      taken: 1,
    });
  });
});

describe('identity', () => {
  test('the same event again is a duplicate, the same id for something else fails under an id of its own', () => {
    const first = event(0, 'create', 'a', { name: 'A' });
    const again = { ...first, offset: 5n };
    const other = { ...event(0, 'create', 'a', { name: 'B' }), offset: 6n };
    const result = run([first, again, other]);
    expect(result).toMatchObject({ duplicates: 1, taken: 3 });
    expect(result.decisions.map(({ eventId, status }) => [eventId, status])).toEqual([
      ['e0', 'applied'],
      ['derived-e0', 'failed'],
    ]);
  });

  test('a known event whose data was pruned counts as the same', () => {
    const known = new Map([['e0', { userId: 'a', operation: 'create', data: null }]]);
    expect(run([event(0, 'create', 'a')], { areRead: true, users: new Map(), events: known })).toMatchObject({
      duplicates: 1,
    });
  });
});

test('wherever a batch is cut, statuses and rows are the same when nothing is refused', () => {
  const operations = fc.constantFrom('create', 'update', 'delete', 'put');
  const events = fc.array(fc.tuple(operations, fc.constantFrom('a', 'b'), fc.integer({ min: 0, max: 3 })), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(
      events,
      fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 5 }),
      (history, sizes) => {
        const log = history.map(([operation, user, n], i) =>
          event(i, operation, user, operation === 'delete' ? {} : { name: String(n) }),
        );
        expect(inBatches(log, sizes)).toEqual(inBatches(log, [1]));
      },
    ),
    { numRuns: 2_000 },
  );
});

/** Runs batches with facts kept in a map, as the database would have them. */
function inBatches(
  log: readonly CudEvent[],
  sizes: readonly number[],
): { statuses: string[]; rows: Record<string, string> } {
  const names = new Map<string, string | null>();
  const blocked = new Map<string, string>();
  const statuses: string[] = [];
  let at = 0;
  for (let batch = 0; at < log.length; batch++) {
    const facts = read(
      Object.fromEntries(
        ['a', 'b'].map((id) => [
          id,
          { exists: names.has(id), ...(blocked.has(id) ? { blockedBy: blocked.get(id) ?? '' } : {}) },
        ]),
      ),
    );
    const result = run(log.slice(at, at + (sizes[batch % sizes.length] ?? 1)), facts);
    for (const { userId, action, texts } of result.writes) {
      if (action === 'delete') names.delete(userId);
      else if (action !== 'none')
        names.set(userId, texts[0] === undefined ? (names.get(userId) ?? null) : texts[0]);
    }
    for (const { status, event: e } of result.decisions) {
      statuses.push(status);
      if (status === 'failed' && e.userId !== null && !blocked.has(e.userId))
        blocked.set(e.userId, e.eventId);
    }
    at += result.taken;
  }
  return { statuses, rows: Object.fromEntries([...names].map(([id, name]) => [id, String(name)])) };
}
