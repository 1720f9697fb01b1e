import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { NewRecord } from '../../../../src/domain/record.ts';
import { chunksOf, recordBytes, type Chunk } from '../../../../src/log/kafka/chunks.ts';

const sized = (bytes: number): NewRecord => ({ key: null, value: Buffer.alloc(bytes), headers: [] });
const LIMITS = { maxRecords: 3, maxBytes: 10_000, maxSpread: 10 };
const NONE = { maxRecords: 1_000, maxBytes: 1_000_000, maxSpread: 1_000 };

const indexesOf = (chunks: Iterable<Chunk>) => [...chunks].map(({ indexes }) => indexes);

describe('chunks', () => {
  test('are of one partition each, in the order of their first records', () => {
    const records = Array.from({ length: 6 }, () => sized(1));
    const chunks = [...chunksOf(records, [2, 0, 2, 1, 0, 2], NONE)];
    expect(chunks.map(({ partition, indexes }) => ({ partition, indexes }))).toEqual([
      { partition: 2, indexes: [0, 2, 5] },
      { partition: 0, indexes: [1, 4] },
      { partition: 1, indexes: [3] },
    ]);
  });

  test('end where the records or the bytes would be too many', () => {
    const many = Array.from({ length: 7 }, () => sized(1));
    expect(
      indexesOf(
        chunksOf(
          many,
          many.map(() => 0),
          LIMITS,
        ),
      ),
    ).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
    const large = [4_000, 4_000, 4_000, 50_000, 1].map(sized);
    expect(
      indexesOf(
        chunksOf(
          large,
          large.map(() => 0),
          LIMITS,
        ),
      ),
    ).toEqual([[0, 1], [2], [3], [4]]);
  });

  test('do not wait for long for a partition that gets few records', () => {
    const records = Array.from({ length: 30 }, () => sized(1));
    const partitions = records.map((_, index) => (index === 0 ? 1 : 0));
    const [, , , first] = indexesOf(chunksOf(records, partitions, LIMITS));
    expect(first).toEqual([0]);
  });

  test('wait for none of several such partitions', () => {
    const records = Array.from({ length: 60 }, () => sized(1));
    const partitions = records.map((_, index) => (index < 3 ? index + 1 : 0));
    const sent = indexesOf(chunksOf(records, partitions, LIMITS));
    for (const slow of [0, 1, 2]) {
      const before = sent
        .slice(
          0,
          sent.findIndex((indexes) => indexes[0] === slow),
        )
        .flat();
      expect(Math.max(...before) - slow).toBeLessThanOrEqual(LIMITS.maxSpread);
    }
  });

  test('hold every record once, each partition in its order, within the limits', () => {
    // Most records are of one partition: the others' chunks wait.
    const partition = fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) });
    const input = fc.array(fc.record({ bytes: fc.nat(12_000), partition }), { maxLength: 60, size: 'max' });
    fc.assert(
      fc.property(input, (items) => {
        const records = items.map(({ bytes }) => sized(bytes));
        const partitions = items.map(({ partition }) => partition);
        const chunks = [...chunksOf(records, partitions, LIMITS)];
        for (const partition of [0, 1, 2, 3]) {
          const own = chunks
            .filter((chunk) => chunk.partition === partition)
            .flatMap(({ indexes }) => indexes);
          expect(own).toEqual(items.flatMap((item, index) => (item.partition === partition ? [index] : [])));
        }
        for (const { indexes } of chunks) {
          const bytes = indexes.reduce((sum, index) => sum + recordBytes(records[index] ?? sized(0)), 0);
          expect(indexes.length <= 3 && (bytes <= 10_000 || indexes.length === 1)).toBe(true);
        }
        let lastSent = 0;
        for (const { indexes } of chunks) {
          expect(lastSent - (indexes[0] ?? 0)).toBeLessThanOrEqual(LIMITS.maxSpread);
          lastSent = Math.max(lastSent, ...indexes);
        }
      }),
    );
  });
});
