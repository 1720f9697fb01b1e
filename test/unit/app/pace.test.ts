import { describe, expect, test } from '@jest/globals';
import { Pace } from '../../../src/app/consume/pace.ts';

describe('the pace', () => {
  test('is that of the last ten seconds, not the average since the start', () => {
    const pace = new Pace(0);
    for (let second = 1; second <= 60; second++) pace.sample(second * 1000, second * 1000, null);
    expect(pace.eventsPerSecond).toBe(1000);
    for (let second = 61; second <= 75; second++) pace.sample(second * 1000, 60_000, null);
    expect(pace.eventsPerSecond).toBe(0);
  });

  test('is not told from less than half a second', () => {
    const pace = new Pace(0);
    pace.sample(100, 5_000, 10);
    expect([pace.eventsPerSecond, pace.secondsLeft]).toEqual([0, null]);
  });

  test('of samples far apart is that between the last two', () => {
    const pace = new Pace(0);
    pace.sample(30_000, 3_000, null);
    pace.sample(60_000, 9_000, null);
    expect(pace.eventsPerSecond).toBe(200);
  });
});

describe('the time left', () => {
  test('is as what is left becomes less, not as events are done', () => {
    const pace = new Pace(0);
    pace.sample(1000, 1000, 10_000);
    pace.sample(2000, 3000, 9_000);
    expect(pace.secondsLeft).toBe(9);
  });

  test('is not told while it does not become less, nor before it is known', () => {
    const pace = new Pace(0);
    pace.sample(1000, 1000, null);
    expect(pace.secondsLeft).toBeNull();
    pace.sample(2000, 2000, 10_000);
    pace.sample(3000, 3000, 10_500);
    expect(pace.secondsLeft).toBeNull();
  });

  test('is none where nothing is left', () => {
    const pace = new Pace(0);
    pace.sample(1000, 1000, 0);
    expect(pace.secondsLeft).toBe(0);
  });
});
