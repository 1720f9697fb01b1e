import { describe, expect, test } from '@jest/globals';
import type { UserTimeline } from '../../../../../src/app/trace/user-timeline.ts';
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
      '                  name, age',
      '                  USER_NOT_FOUND: The user "u1" does not exist, so update cannot',
      '                  be executed',
      '                  holds back 1',
      '',
      '2026-01-02 UTC',
      `  00:00:01  0@42  delete  ${OTHER}  parked`,
      '                  waits behind 0@41',
    ]);
  });
});
