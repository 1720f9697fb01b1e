import { describe, expect, test } from '@jest/globals';
import { record, useLogs, type EventLogFactory } from './harness.ts';

/** As text, 999 would be the last of them: kafkajs sorts them so. */
const TIMES = [999, 2_000, 2_000, 5_000];

export function describeOffsetsAtTime(factory: EventLogFactory): void {
  const logs = useLogs((options) => factory.create(options));

  describe('the offset at a time', () => {
    test.each([
      ['the first one before the first record', 0, 0n],
      ['the record of exactly that time', 999, 0n],
      ['the next record after it', 1_000, 1n],
      ['the first of several records of that time', 2_000, 1n],
      ['the last record', 5_000, 3n],
      ['the high watermark behind the last record', 5_001, 4n],
    ])('is %s', async (_, timestamp, expected) => {
      const { log } = await logs.fresh(1);
      await log.append(TIMES.map((time) => record('a', 'x', { timestamp: time })));
      expect(await log.offsetsAtTime(timestamp)).toEqual(new Map([[0, expected]]));
    });

    test('is told for every partition, and is zero in an empty one', async () => {
      const { log } = await logs.fresh(3);
      await log.append(TIMES.map((timestamp) => record('a', 'x', { partition: 0, timestamp })));
      await log.append([record('a', 'x', { partition: 2, timestamp: 3_000 })]);
      const expected = new Map([
        [0, 1n],
        [1, 0n],
        [2, 0n],
      ]);
      expect(await log.offsetsAtTime(1_500)).toEqual(expected);
    });
  });
}
