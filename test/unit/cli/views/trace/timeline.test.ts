import { describe, expect, test } from '@jest/globals';
import type { UserTimeline } from '../../../../../src/app/trace/user-timeline.ts';
import { RawJson } from '../../../../../src/domain/raw-json.ts';
import { PLAIN_STYLE, type Style } from '../../../../../src/cli/theme.ts';
import { renderTimeline } from '../../../../../src/cli/views/trace/timeline.ts';
import { ID, OTHER } from '../../../../support/sample-trace.ts';

const AT_80: Style = { ...PLAIN_STYLE, width: 80 };

describe('the time line of a user', () => {
  const event = {
    partition: 0,
    decidedAt: '2026-01-01T00:00:00.000Z',
    operation: 'update',
    attempts: 1,
    fields: [],
    change: null,
    source: null,
    decisions: { count: 0, newest: [] },
    error: null,
    blockedBy: null,
    parked: 0,
    withdrawnBy: [],
    withdraws: null,
    operator: null,
    reason: null,
  };
  const timeline: UserTimeline = {
    userId: 'u1',
    statuses: { failed: 1, parked: 1, applied: 12 },
    older: 12,
    pending: [],
    aheadGap: null,
    events: [
      {
        ...event,
        eventId: ID,
        offset: 41n,
        timestamp: '2026-01-01T23:59:59.500Z',
        status: 'failed',
        fields: ['name', 'age'],
        error: {
          code: 'USER_NOT_FOUND',
          message: 'The user "u1" does not exist, so update cannot be executed',
        },
        parked: 1,
      },
      {
        ...event,
        eventId: OTHER,
        offset: 42n,
        timestamp: '2026-01-02T00:00:01.000Z',
        operation: 'delete',
        status: 'parked',
        blockedBy: ID,
      },
    ],
  };

  test('has a line an event under its day, and below it what there is to say', () => {
    expect(renderTimeline(timeline, AT_80).split('\n')).toEqual([
      'User u1  1 failed, 1 parked, 12 applied',
      '12 older events are left out: -n shows more',
      '',
      '2026-01-01 UTC',
      `  23:59:59  0@41  update  ${ID}  failed`,
      '                  decided 2026-01-01 00:00:00Z',
      '                  name, age',
      '                  USER_NOT_FOUND: The user "u1" does not exist, so update cannot',
      '                  be executed',
      '                  holds back 1',
      '',
      '2026-01-02 UTC',
      `  00:00:01  0@42  delete  ${OTHER}  parked`,
      '                  decided 2026-01-01 00:00:00Z',
      '                  waits behind 0@41',
    ]);
  });

  /** The texts below one event's line, where the terminal is wide. */
  const below = (more: Partial<UserTimeline['events'][number]>): readonly string[] => {
    const one = { ...event, eventId: ID, offset: 41n, timestamp: '2026-01-01T00:00:00.000Z' };
    const told = { ...timeline, older: 0, events: [{ ...one, status: 'applied' as const, ...more }] };
    return renderTimeline(told, PLAIN_STYLE)
      .split('\n')
      .slice(4)
      .map((line) => line.trim());
  };
  const field = { field: 'name', isCarried: true, isChanged: true };
  const [ada, bea] = ['Ada', 'Bea'].map((name) => new RawJson(JSON.stringify(name)));
  const change = {
    kind: 'did' as const,
    source: 'fold' as const,
    isThere: { before: true, after: true },
    fields: [{ ...field, before: ada ?? new RawJson('null'), after: bea ?? new RawJson('null') }],
  };

  test('says who published an event, and what it did to the row', () => {
    expect(below({ source: '/crm', change })).toEqual([
      'decided 2026-01-01 00:00:00Z, published by /crm',
      'name Ada → Bea',
    ]);
    expect(below({ operator: 'olga@desk', reason: 'mistaken' })[0]).toContain('by olga@desk: mistaken');
  });

  test.each([
    ['would', { before: true, after: true }, 'would set name Ada → Bea'],
    ['gone', { before: true, after: true }, 'without effect: name Ada → Bea'],
    ['did', { before: true, after: false }, 'delete the row: name Ada → Bea'],
    ['would', { before: false, after: false }, 'no row to change: name Ada → Bea'],
    ['did', { before: null, after: null }, 'name Bea'],
  ] as const)(
    'an effect that is called %s, on a row that is there %j, is told as: %s',
    (kind, isThere, text) => {
      expect(below({ change: { ...change, kind, isThere } })[1]).toBe(text);
    },
  );

  test('names the constraint, what the database said of the value, and each later decision', () => {
    const decision = { at: new Date(0), cause: 'retry' as const, causedBy: null, sqlState: null };
    expect(
      below({
        status: 'failed',
        attempts: 7,
        error: {
          code: 'DATABASE_CONSTRAINT',
          message: 'duplicate key',
          detail: { constraint: 'users_email_key', detail: 'Key (email)=(a@b) already exists.' },
        },
        decisions: {
          count: 6,
          newest: [1, 2, 3, 4, 5].map((n) => ({
            ...decision,
            operator: 'olga@desk',
            reason: `try ${String(n)}`,
            status: 'failed' as const,
            code: 'DATABASE_CONSTRAINT',
            message: null,
          })),
        },
      }),
    ).toEqual([
      'decided 2026-01-01 00:00:00Z',
      'DATABASE_CONSTRAINT users_email_key: duplicate key',
      'Key (email)=(a@b) already exists.',
      '7 attempts',
      `2 earlier decisions: trace ${ID}`,
      ...[2, 3, 4, 5].map(
        (n) => `1970-01-01 00:00:00Z failed DATABASE_CONSTRAINT: retry by olga@desk: try ${String(n)}`,
      ),
    ]);
  });
});
