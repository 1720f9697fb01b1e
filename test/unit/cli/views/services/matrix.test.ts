import { expect, test } from '@jest/globals';
import type { TraceMatrix } from '../../../../../src/app/services/trace-matrix.ts';
import { PLAIN_STYLE } from '../../../../../src/cli/theme.ts';
import { renderMatrix } from '../../../../../src/cli/views/services/matrix.ts';

const ID = '018f3c1e-7b7c-7def-8abc-000000000001';
const PROFILES = ['orders', 'billing', 'crm'];
const cell = { status: 'rolled_back' as const, code: null, attempts: 1, decidedAt: null, blockedBy: null };
const MATRIX: TraceMatrix = {
  userId: 'ada',
  eventId: ID,
  services: PROFILES.map((profile) => ({ profile, database: null, schema: null, topic: null, error: null })),
  events: [
    {
      eventId: ID,
      operation: 'update',
      partition: 1,
      offset: 41n,
      timestamp: '2026-01-01T00:00:00.000Z',
      decisions: Object.fromEntries(PROFILES.map((profile) => [profile, cell])),
    },
  ],
};
const linesAt = (width: number | null): readonly string[] =>
  renderMatrix(MATRIX, { ...PLAIN_STYLE, width }).split('\n');

test.each([
  [null, 'PUBLISHED POSITION EVENT OPERATION'],
  [130, 'PUBLISHED POSITION EVENT OPERATION'],
  [110, 'POSITION EVENT OPERATION'],
  [90, 'PUBLISHED POSITION OPERATION'],
  [62, 'POSITION OPERATION'],
])('at %j columns the matrix has every service whole, beside %s', (width, facts) => {
  const [, head = '', row = ''] = linesAt(width);
  expect(head.trim().split(/ {2,}/)).toEqual([...facts.split(' '), ...PROFILES]);
  expect(row.match(/rolled_back/g)).toHaveLength(3);
  expect(row).toMatch(/^▸/);
});

test('a terminal too narrow for that cuts the words, and no service', () => {
  const [, head = '', row = ''] = linesAt(56);
  expect(head).toMatch(/crm$/);
  expect(row.match(/rolled/g)).toHaveLength(3);
});
