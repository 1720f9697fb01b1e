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

  test('ends soon after the end is reached, and what comes next is not averaged with the rest before it', () => {
    const pace = new Pace(0);
    for (let half = 1; half <= 10; half++) pace.sample(half * 500, half * 1000, 10_000 - half * 1000);
    expect(pace.eventsPerSecond).toBe(2000);
    for (let half = 11; half <= 14; half++) pace.sample(half * 500, 10_000, 0);
    expect(pace.eventsPerSecond).toBe(0);
    for (let half = 15; half <= 30; half++) pace.sample(half * 500, 10_000, 0);
    pace.sample(15_500, 13_000, 2_000);
    expect(pace.eventsPerSecond).toBe(6000);
  });

  test('of a trickle is its average, with moments in which nothing comes', () => {
    const pace = new Pace(0);
    for (let half = 1; half <= 40; half++) pace.sample(half * 500, Math.floor(half / 3), 0);
    expect(pace.eventsPerSecond).toBeCloseTo(0.65, 1);
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
