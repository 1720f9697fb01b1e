import { expect, test } from '@jest/globals';
import type { UserPlan } from '../../../../../src/app/rollback/user-plan.ts';
import { PLAIN_STYLE } from '../../../../../src/cli/theme.ts';
import { renderChoice, renderPlans } from '../../../../../src/cli/views/rollback/plan.ts';

const [ID, LATER] = ['018f3c1e-7b7c-7def-8abc-000000000001', '018f3c1e-7b7c-7def-8abc-000000000002'];
const REFUSED: UserPlan = {
  userId: 'ada',
  targets: [ID],
  partition: 0,
  outlook: {
    kind: 'choose',
    mode: 'only',
    later: [LATER],
    upTo: LATER,
    decision: {
      isAccepted: false,
      code: 'WOULD_INVALIDATE',
      message: 'Without the targets an event would stand that cannot be executed',
      events: [LATER],
    },
  },
  pending: [],
  underWay: null,
  failedHere: null,
  isTriedOut: true,
  now: null,
  then: null,
  changes: [],
  obstacle: null,
};
const NARROW = { ...PLAIN_STYLE, width: 60 };

test('a refusal is told in words that are whole on a narrow terminal, with the events that would not hold', () => {
  expect(renderPlans({ plans: [REFUSED], rejected: [], aheadGap: null }, NARROW).split('\n')).toEqual([
    'User ada: refused (WOULD_INVALIDATE) Without the targets an',
    'event would stand that cannot be executed:',
    `  ${LATER}`,
  ]);
});

test('of two ways the one that would be refused is named', () => {
  const choice = { only: [REFUSED], cascade: [REFUSED], others: [] };
  expect(renderChoice(choice, NARROW)).toMatch(/^User ada: 1 later event in the way\nONLY: refused/);
});

test('what is rolled back already, and could not be executed here, says so', () => {
  const failed = { eventId: LATER, error: { code: 'DRIFT' as const, message: 'The row differs in name' } };
  const plan: UserPlan = {
    ...REFUSED,
    outlook: { ...REFUSED.outlook, kind: 'already', decision: { isAccepted: true, withdraws: [ID] } },
    failedHere: failed,
  };
  expect(renderPlans({ plans: [plan], rejected: [], aheadGap: null }, PLAIN_STYLE)).toBe(
    `User ada: already rolled back, but not here: event ${LATER} failed (DRIFT: The row differs in name). It waits for retry.`,
  );
});
