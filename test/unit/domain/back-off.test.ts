import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { backOffMs } from '../../../src/domain/back-off.ts';

test('the ceiling doubles from 100 ms to 5 s, and the wait is drawn from its upper half', () => {
  const bounds = [1, 2, 3, 4, 5, 6, 7, 8, 100, 100_000].map((attempt) => [
    backOffMs(attempt, 0),
    backOffMs(attempt, 1),
  ]);
  expect(bounds).toEqual([
    [50, 100],
    [100, 200],
    [200, 400],
    [400, 800],
    [800, 1600],
    [1600, 3200],
    [2500, 5000],
    [2500, 5000],
    [2500, 5000],
    [2500, 5000],
  ]);
});

test('takes other limits', () => {
  expect(backOffMs(1, 0.5, { initialMs: 10 })).toBe(8);
  expect(backOffMs(9, 0, { initialMs: 10, maxMs: 40 })).toBe(20);
  expect(backOffMs(1, 0, { maxMs: 40 })).toBe(20);
});

test('is a whole number between half of the ceiling and the ceiling, for any attempt', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, random01) => {
        const wait = backOffMs(attempt, random01);
        expect(Number.isInteger(wait) && wait >= 50 && wait <= 5000).toBe(true);
      },
    ),
  );
});
