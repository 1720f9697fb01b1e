import { describe, expect, test } from '@jest/globals';
import { record, useLogs, type EventLogFactory } from './harness.ts';

export function describeWatermarks(factory: EventLogFactory): void {
  const logs = useLogs((options) => factory.create(options));

  describe('watermarks', () => {
    test('are zero in an empty partition', async () => {
      const { log } = await logs.fresh(3);
      const zero = { low: 0n, high: 0n };
      expect(await log.watermarks()).toEqual([0, 1, 2].map((partition) => ({ partition, ...zero })));
    });

    test('are the first offset and the one to be written next, in the order of the partitions', async () => {
      const { log } = await logs.fresh(12);
      await log.append([11, 1, 11, 2, 11].map((partition) => record('a', 'x', { partition })));
      const counts = [0n, 1n, 1n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, 3n];
      expect(await log.watermarks()).toEqual(counts.map((high, partition) => ({ partition, low: 0n, high })));
    });

    test('are the same for another instance as soon as an append has returned', async () => {
      const { log, topic } = await logs.fresh(1);
      const other = logs.open(topic);
      for (let count = 1n; count <= 5n; count += 1n) {
        await log.append([record('a', 'x')]);
        expect(await other.watermarks()).toEqual([{ partition: 0, low: 0n, high: count }]);
      }
    });
  });
}
