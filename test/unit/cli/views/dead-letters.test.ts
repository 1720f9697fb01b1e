import { expect, test } from '@jest/globals';
import type { DeadLetterEntry } from '../../../../src/app/dead-letters/list-letters.ts';
import { renderDeadLetters, renderPutBack } from '../../../../src/cli/views/dead-letters.ts';
import { createStyle } from '../../../../src/cli/theme.ts';

const STYLE = createStyle({ isTTY: false, columns: 120 }, {});
const NOW = Date.UTC(2026, 0, 1);
const ENTRY: DeadLetterEntry = {
  topic: 'dlt',
  partition: 1,
  offset: 42n,
  timestamp: '2026-01-01T00:00:00.000Z',
  system: 'spring',
  originalTopic: 'user-events',
  originalPartition: 3,
  originalOffset: 7n,
  originalTimestamp: null,
  group: 'billing',
  exception: 'org.example.NoSuchPlan',
  message: 'no \u001b[31mplan',
  eventId: null,
  operation: 'put',
  userId: 'u1\nu2',
  putBacks: 2,
  putBackAt: '2026-01-01T00:00:00.000Z',
};

test('a dead letter is two lines: from where and whose, then why, made safe for a terminal', () => {
  const lines = renderDeadLetters([ENTRY], 1, STYLE, NOW).split('\n');
  expect(lines[1]).toMatch(/^1@42 +user-events\[3\]@7 +u1\\nu2 +put +spring +2026-01-01/);
  expect(lines[2]).toBe('  NoSuchPlan (came back 2×) (put back 2026-01-01 00:00:00Z)  no \\x1b[31mplan');
  expect(lines[4]).toBe('1 dead letter');
});

test('a dead letter without a reason says so, rather than to leave a line empty', () => {
  const silent = { ...ENTRY, exception: null, message: null, putBacks: 0, putBackAt: null };
  expect(renderDeadLetters([silent], 1, STYLE, NOW).split('\n')[2]).toBe('  no reason is given');
});

test('no dead letters are said to be none', () => {
  expect(renderDeadLetters([], 0, STYLE, NOW)).toBe('✓ No dead letters');
});

test('what was put back, what not, and why', () => {
  const refused = [
    { partition: 0, offset: 5n, userId: 'u1', reason: 'too often' as const },
    { partition: 0, offset: 6n, userId: null, reason: 'no dead letter' as const },
  ];
  const result = {
    deadLetterTopic: 'dlt',
    topic: 'user-events',
    isDryRun: false,
    putBack: 1200,
    already: 3,
    refused,
    notWanted: 2,
    overtaking: 1,
    own: 1,
    otherTopics: { orders: 4 },
  };
  const text = renderPutBack(result, STYLE);
  expect(text).toContain('✓ 1,200 records put back into user-events from dlt');
  expect(text).toContain('4 of topic orders: left alone');
  expect(text).toContain('1 overtakes an earlier letter of its key');
  expect(text).toContain('✗ 2 refused');
  expect(text).toContain('  0@5 of user u1: it came back as often as it may (--max-attempts)');
  expect(text).toContain('  0@6: it has no headers of a dead letter');
  expect(renderPutBack({ ...result, isDryRun: true }, STYLE)).toContain('would be put back');
});
