import { describe, expect, test } from '@jest/globals';
import type { ConsumerView, PartitionView } from '../../../src/app/consume/consumer-view.ts';
import { LagWatch } from '../../../src/app/consume/lag-watch.ts';
import { Probe } from '../../../src/app/consume/probe.ts';

const at = (partition: number, nextOffset: bigint, oldest: number | null = null): PartitionView => ({
  partition,
  nextOffset,
  oldest,
});

function view(partitions: readonly PartitionView[], other: Partial<ConsumerView> = {}): ConsumerView {
  return { phase: 'working', partitions, ends: null, ...other };
}

function watch(highs: readonly bigint[], now = () => 100_000): LagWatch {
  const marks = highs.map((high, partition) => ({ partition, low: 0n, high }));
  return new LagWatch(() => Promise.resolve(marks), now);
}

describe('the lag', () => {
  test('is what lies between position and high watermark, and the age of the oldest event not decided', async () => {
    const lag = watch([10n, 20n]);
    lag.follow(view([at(1, 20n), at(0, 4n, 95_000)]));
    expect(await lag.look()).toEqual({
      partitions: [
        { partition: 0, position: 4n, highWatermark: 10n, lag: 6n, lagSeconds: 5 },
        { partition: 1, position: 20n, highWatermark: 20n, lag: 0n, lagSeconds: 0 },
      ],
      ...{ events: 6n, left: 6n, seconds: 5, isLogAnswering: true },
    });
  });

  test('in seconds of an event that is not fetched counts from when it was seen to be there', async () => {
    let now = 100_000;
    const lag = watch([10n], () => now);
    lag.follow(view([at(0, 4n)]));
    expect((await lag.look()).seconds).toBe(0);
    now += 7_000;
    expect((await lag.look()).seconds).toBe(7);
    lag.follow(view([at(0, 5n)]));
    expect((await lag.look()).seconds).toBe(0);
  });

  test('is not known while the partitions are not, and none of a spare member', async () => {
    const lag = watch([10n]);
    expect((await lag.look()).events).toBeNull();
    lag.follow(view([], { phase: 'checking' }));
    expect(await lag.look()).toMatchObject({ events: null, left: null });
    lag.follow(view([]));
    expect(await lag.look()).toMatchObject({ events: 0n, left: 0n });
  });

  test('with an end leaves what is before that end', async () => {
    const lag = watch([10n, 10n]);
    lag.follow(view([at(0, 4n), at(1, 9n)], { ends: new Map([[0, 6n]]) }));
    expect(await lag.look()).toMatchObject({ events: 7n, left: 2n });
  });

  test('of a log that does not answer is as far as it is known', async () => {
    const lag = new LagWatch(
      () => Promise.reject(new Error('away')),
      () => 0,
    );
    lag.follow(view([at(0, 4n)]));
    expect(await lag.look()).toMatchObject({
      ...{ events: null, isLogAnswering: false },
      partitions: [{ position: 4n, highWatermark: null, lag: null, lagSeconds: 0 }],
    });
  });
});

describe('a probe', () => {
  test('asks once for those who look at the same time and soon after', async () => {
    let asked = 0;
    const probe = new Probe(() => Promise.resolve(++asked));
    const found = [...(await Promise.all([probe.look(), probe.look()])), await probe.look()];
    expect(found.map(({ value }) => value)).toEqual([1, 1, 1]);
  });

  test('waits for a moment only, and asks nothing more before it has its answer', async () => {
    let asked = 0;
    let answer: (value: string) => void = () => undefined;
    const probe = new Probe(() => {
      asked++;
      return new Promise<string>((resolve) => (answer = resolve));
    });
    expect(await probe.look()).toEqual({ value: null, isAnswering: false });
    expect(await probe.look()).toEqual({ value: null, isAnswering: false });
    expect(asked).toBe(1);
    answer('late');
    expect(await probe.look()).toEqual({ value: 'late', isAnswering: true });
  });
});
