import { describe, expect, test } from '@jest/globals';
import { scheduleOf, type Fault } from '../../../soak/schedule.ts';

const MINUTES = 60_000;
const KINDS: readonly Fault['kind'][] = [
  'consumer killed',
  'consumer killed at a point',
  'consumer paused',
  'consumer stopped',
  'number of consumers changed',
  'broker killed',
  'broker restarted',
  'database shut down at once',
  'backends terminated',
  'connection cut',
  'network silent',
  'users table locked',
  'retry',
  'skip',
  'rollback',
  'partitions added',
  'range replayed',
];

describe('the schedule of a soak', () => {
  test('is the same for the same seed, and another for another', () => {
    expect(scheduleOf(7, 10 * MINUTES)).toEqual(scheduleOf(7, 10 * MINUTES));
    expect(scheduleOf(7, 10 * MINUTES)).not.toEqual(scheduleOf(8, 10 * MINUTES));
  });

  test('of a longer soak begins as that of a shorter one', () => {
    const short = scheduleOf(7, 2 * MINUTES);
    expect(scheduleOf(7, 10 * MINUTES).slice(0, short.length)).toEqual(short);
  });

  test.each([1, 2, 3, 4, 5])(
    'of seed %i has every kind of fault in ten minutes, in order, within them',
    (seed) => {
      const steps = scheduleOf(seed, 10 * MINUTES);
      expect([...new Set(steps.map(({ fault }) => fault.kind))].toSorted()).toEqual(KINDS.toSorted());
      const times = steps.map(({ atMs }) => atMs);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(times.every((atMs) => atMs >= 500 && atMs < 10 * MINUTES)).toBe(true);
      expect(steps.length).toBeGreaterThan(120);
      expect(steps.filter(({ fault }) => fault.kind === 'partitions added').length).toBeLessThanOrEqual(2);
    },
  );

  test('pauses a consumer for longer than its session of ten seconds', () => {
    const pauses = scheduleOf(1, 60 * MINUTES).flatMap(({ fault }) =>
      fault.kind === 'consumer paused' ? [fault.ms] : [],
    );
    expect(Math.min(...pauses)).toBeGreaterThan(10_000);
  });
});
