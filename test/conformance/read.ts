import { describe, expect, test } from '@jest/globals';
import { waitFor } from '../support/wait-for.ts';
import {
  codeOf,
  errorOf,
  firstBatch,
  groupBy,
  readBatches,
  record,
  records,
  textOf,
  useLogs,
  type EventLogFactory,
} from './harness.ts';

export function describeRead(factory: EventLogFactory): void {
  const logs = useLogs((options) => factory.create(options));

  /** A topic of one partition with the values `0` … */
  const single = async (count: number) => {
    const { log, topic } = await logs.fresh(1);
    await log.append(records(count));
    return { log, topic };
  };

  describe('reading', () => {
    test.each([
      ['from the start to the end', 0n, undefined, ['0', '1', '2', '3', '4', '5']],
      ['from an offset to the end', 4n, undefined, ['4', '5']],
      ['a range, without its end', 1n, 4n, ['1', '2', '3']],
      ['nothing of an empty range', 3n, 3n, []],
      ['nothing at the end', 6n, undefined, []],
      ['what there is of a range that goes beyond the end', 4n, 100n, ['4', '5']],
    ])('gives %s', async (_, from, to, expected) => {
      const { log } = await single(6);
      const range = to === undefined ? { partition: 0, from } : { partition: 0, from, to };
      const batches = await readBatches(log, [range]);
      expect(batches.flatMap((batch) => batch.records).map(textOf)).toEqual(expected);
      const last = batches.findLast((batch) => batch.records.length > 0);
      if (last !== undefined) expect(last.nextOffset).toBe(to === undefined || to > 6n ? 6n : to);
    });

    test('ends at the high watermark of its beginning, whatever is appended meanwhile', async () => {
      const { log } = await single(10);
      const values: string[] = [];
      for await (const batch of log.read([{ partition: 0, from: 0n }])) {
        values.push(...batch.records.map(textOf));
        await log.append(records(10, { from: 10 }));
      }
      expect(values).toEqual(records(10).map(textOf));
    });

    test('gives several partitions, each in the order of its offsets', async () => {
      const { log } = await logs.fresh();
      await log.append(records(400, { keys: 40 }));
      const ranges = [0, 1, 3].map((partition) => ({ partition, from: 0n }));
      const next = new Map<number, bigint>();
      for (const { partition, records: found, nextOffset, highWatermark } of await readBatches(log, ranges)) {
        for (const { partition: own, offset } of found) {
          expect({ own, offset }).toEqual({ own: partition, offset: next.get(partition) ?? 0n });
          next.set(partition, offset + 1n);
        }
        expect(nextOffset).toBe(next.get(partition));
        expect(highWatermark).toBeGreaterThanOrEqual(nextOffset);
      }
      const highs = (await log.watermarks()).filter(({ partition }) => partition !== 2);
      expect([...next].sort()).toEqual(highs.map(({ partition, high }) => [partition, high]));
    });

    test('gives 20,000 records once each, in order', async () => {
      const { log } = await logs.fresh();
      await log.append(records(20_000, { keys: 997 }));
      const byPartition = groupBy(
        (await readBatches(log, await fullRanges(log))).flatMap((batch) => batch.records),
        ({ partition }) => partition,
      );
      for (const { partition, high } of await log.watermarks()) {
        const offsets = byPartition.get(partition)?.map(({ offset }) => offset) ?? [];
        expect(offsets.length).toBe(Number(high));
        expect(offsets.every((offset, index) => offset === BigInt(index))).toBe(true);
      }
    });

    test.each([
      ['behind the high watermark', 7n],
      ['far behind it', 1_000_000n],
    ])('throws OFFSET_OUT_OF_RANGE for an offset %s', async (_, from) => {
      const { log } = await single(6);
      const error = await errorOf(readBatches(log, [{ partition: 0, from }]));
      expect(error.code).toBe('OFFSET_OUT_OF_RANGE');
      expect(error.facts).toMatchObject({ partition: 0, expected: from, low: 0n, high: 6n });
    });

    test('refuses a partition that the topic does not have', async () => {
      const { log } = await single(1);
      expect(await codeOf(readBatches(log, [{ partition: 1, from: 0n }]))).toBe('LOG_REFUSED');
    });

    test('takes little time to the first record: it joins no group', async () => {
      const { log } = await single(6);
      const start = performance.now();
      await firstBatch(log, [{ partition: 0, from: 0n }]);
      // A group's join takes 3 s at a broker's default; what is measured here is about 50 ms.
      expect(performance.now() - start).toBeLessThan(2_000);
    });

    test('may be left at any batch, and begun again', async () => {
      const { log } = await logs.fresh();
      await log.append(records(100));
      for (let round = 0; round < 3; round += 1) {
        for await (const batch of log.read(await fullRanges(log))) {
          if (batch.records.length > 0) break;
        }
      }
      const all = (await readBatches(log, await fullRanges(log))).flatMap((batch) => batch.records);
      expect(all).toHaveLength(100);
    });
  });

  describe('following', () => {
    test('gives what is appended later, until it is told to end', async () => {
      const { log, topic } = await single(3);
      const end = new AbortController();
      const values: string[] = [];
      const following = (async () => {
        const options = { follow: true, signal: end.signal };
        for await (const batch of logs.open(topic).read([{ partition: 0, from: 1n }], options)) {
          values.push(...batch.records.map(textOf));
        }
      })();
      await waitFor(() => values.length === 2, { describe: 'what is there' });
      for (const from of [3, 5]) {
        await log.append(records(2, { from }));
        await waitFor(() => values.length === from + 1, { describe: 'what is appended' });
      }
      end.abort();
      await following;
      expect(values).toEqual(['1', '2', '3', '4', '5', '6']);
    });

    test('ends at the end of a range that lies in the future', async () => {
      const { log, topic } = await single(2);
      const reading = (async () => {
        const values: string[] = [];
        const range = { partition: 0, from: 0n, to: 4n };
        for await (const batch of logs.open(topic).read([range], { follow: true })) {
          values.push(...batch.records.map(textOf));
        }
        return values;
      })();
      for (const value of ['2', '3', '4']) await log.append([record('a', value)]);
      expect(await reading).toEqual(['0', '1', '2', '3']);
    });

    test('ends without an error when the log is closed', async () => {
      const { topic } = await single(1);
      const log = logs.open(topic);
      const values: string[] = [];
      const following = (async () => {
        for await (const batch of log.read([{ partition: 0, from: 0n }], { follow: true })) {
          values.push(...batch.records.map(textOf));
        }
      })();
      await waitFor(() => values.length === 1, { describe: 'what is there' });
      await log.close();
      await expect(following).resolves.toBeUndefined();
    });
  });
}

async function fullRanges(log: ReturnType<EventLogFactory['create']>) {
  return (await log.watermarks()).map(({ partition, low }) => ({ partition, from: low }));
}
