import { expect, test } from '@jest/globals';
import { ageText, spanText, shortTime } from '../../../src/cli/age-text.ts';

test.each<[number, string]>([
  [0, 'now'],
  [-5000, 'now'],
  [999, 'now'],
  [1000, '1 s ago'],
  [59_999, '59 s ago'],
  [60_000, '1 min ago'],
  [3_599_999, '59 min ago'],
  [3_600_000, '1 h ago'],
  [86_399_999, '23 h ago'],
  [86_400_000, '1 d ago'],
  [86_400_000 * 1500, '1,500 d ago'],
])('%d ms are told as %j', (elapsedMs, expected) => {
  expect(ageText(1e12, 1e12 + elapsedMs)).toBe(expected);
});

test('a time of a list has no milliseconds', () => {
  expect(shortTime('2026-01-31T08:00:00.123Z')).toBe('2026-01-31 08:00:00Z');
});

test.each<[number, string]>([
  [0.2, '1 s'],
  [59.5, '1 min'],
  [100, '1 min 40 s'],
  [3600, '1 h'],
  [7530, '2 h 5 min'],
  [86_400 * 3 + 10, '3 d'],
])('%d seconds take %s', (seconds, text) => {
  expect(spanText(seconds * 1000)).toBe(text);
});
