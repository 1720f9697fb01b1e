import { expect, test } from '@jest/globals';
import type { PartitionStatus, ServiceStatus } from '../../../../src/app/status.ts';
import { measureStatus, withPace } from '../../../../src/app/status/pace.ts';
import { serviceStatus, type PartitionAt } from '../../../support/service-status.ts';

const NEVER = new AbortController().signal;

/** What the later of two looks, two seconds apart, says of its first partition. */
function pace(before: PartitionAt, after: PartitionAt): Partial<PartitionStatus> {
  const later = withPace(serviceStatus(0, [before]), serviceStatus(2, [after]));
  const { rate, inflow, catchUpSeconds } = later.partitions[0] ?? {};
  return { rate, inflow, catchUpSeconds } as Partial<PartitionStatus>;
}

test.each<[string, PartitionAt, PartitionAt, object]>([
  ['moves', [100n, 1000n], [300n, 1000n], { rate: 100, inflow: 0, catchUpSeconds: 7 }],
  [
    'moves while more is written',
    [100n, 1000n],
    [300n, 1100n],
    { rate: 100, inflow: 50, catchUpSeconds: 16 },
  ],
  ['falls behind', [100n, 1000n], [200n, 1400n], { rate: 50, inflow: 200, catchUpSeconds: null }],
  ['stands still', [100n, 1000n], [100n, 1000n], { rate: 0, inflow: 0, catchUpSeconds: null }],
  ['is caught up', [100n, 1000n], [1000n, 1000n], { rate: 450, inflow: 0, catchUpSeconds: 0 }],
  ['was never had, and is still not', [null, 1000n], [null, 1000n], { rate: 0, catchUpSeconds: null }],
  ['was never had, and begins', [null, 1000n], [400n, 1000n], { rate: 200, catchUpSeconds: 3 }],
  ['was taken back', [900n, 1000n], [0n, 1000n], { rate: 0, catchUpSeconds: null }],
  ['moves slowly', [100n, 1000n], [101n, 1000n], { rate: 0.5, catchUpSeconds: 1798 }],
])('a partition that %s has the pace of the two looks', (_, before, after, expected) => {
  expect(pace(before, after)).toMatchObject(expected);
});

test('a service has caught up when its slowest partition has', () => {
  const after = withPace(
    serviceStatus(0, [
      [0n, 100n],
      [0n, 100n],
      [100n, 100n],
    ]),
    serviceStatus(1, [
      [50n, 100n],
      [10n, 100n],
      [100n, 100n],
    ]),
  );
  expect(after).toMatchObject({ rate: 60, inflow: 0, catchUpSeconds: 9 });
});

test('nobody can say when a service has caught up while one of its partitions stands still', () => {
  const after = withPace(
    serviceStatus(0, [
      [0n, 100n],
      [0n, 100n],
    ]),
    serviceStatus(1, [
      [50n, 100n],
      [0n, 100n],
    ]),
  );
  expect(after).toMatchObject({ rate: 50, catchUpSeconds: null });
});

test('looks at one moment, or with a clock that was set back, measure nothing', () => {
  for (const seconds of [5, 9]) {
    const after = withPace(serviceStatus(seconds, [[0n, 9n]]), serviceStatus(5, [[1n, 9n]]));
    expect(after).toMatchObject({ rate: null, inflow: null, catchUpSeconds: null });
  }
});

test.each<[string, PartitionAt, boolean, number]>([
  ['nothing is behind', [9n, 9n], true, 1],
  ['nobody is there to work on it', [0n, 9n], false, 1],
  ['something is behind and somebody is there', [0n, 9n], true, 2],
])('where %s it is looked at as often as that tells something', async (_, partition, hasMember, looks) => {
  let looked = 0;
  const read = (): Promise<ServiceStatus> =>
    Promise.resolve(serviceStatus(looked++, [partition], hasMember ? undefined : []));
  const { rate } = await measureStatus(read, NEVER);
  expect({ looked, isMeasured: rate !== null }).toEqual({ looked: looks, isMeasured: looks === 2 });
});
