import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseOffsetSpec } from '../../../src/domain/offset-spec.ts';
import { resolveOffsets, type PartitionBounds } from '../../../src/domain/resolve-offsets.ts';

const NOW = Date.UTC(2026, 0, 31, 12);
/** A partition that has lost its first 10, one that is short, one that is empty. */
const BOUNDS: readonly PartitionBounds[] = [
  { partition: 0, low: 10n, high: 110n },
  { partition: 1, low: 0n, high: 5n },
  { partition: 2, low: 0n, high: 0n },
];
const TIMES = {
  from: new Map([
    [0, 50n],
    [1, 2n],
  ]),
  to: new Map([[0, 60n]]),
};

function resolve(text: string, bounds: readonly PartitionBounds[] = BOUNDS) {
  return resolveOffsets(parseOffsetSpec(text, NOW), bounds, (edge) => TIMES[edge]);
}

type Expected = readonly [bigint, bigint?];

test.each<[string, Expected, Expected, Expected]>([
  ['start', [10n], [0n], [0n]],
  ['end', [110n], [5n], [0n]],
  ['-3', [107n], [2n], [0n]],
  ['-5000', [10n], [0n], [0n]],
  ['+3', [13n], [3n], [0n]],
  ['+5000', [110n], [5n], [0n]],
  ['3', [10n], [3n], [0n]],
  ['40', [40n], [5n], [0n]],
  ['5', [10n], [5n], [0n]],
  ['110', [110n], [5n], [0n]],
  ['3:40', [10n, 40n], [3n, 5n], [0n, 0n]],
  ['40:9999', [40n, 110n], [5n, 5n], [0n, 0n]],
  ['0:4', [10n, 10n], [0n, 4n], [0n, 0n]],
  [':4', [10n, 10n], [0n, 4n], [0n, 0n]],
  [':end', [10n, 110n], [0n, 5n], [0n, 0n]],
  ['-3:end', [107n, 110n], [2n, 5n], [0n, 0n]],
  ['-10:-8', [100n, 102n], [0n, 0n], [0n, 0n]],
  ['+2:-2', [12n, 108n], [2n, 3n], [0n, 0n]],
  ['@-1h', [50n], [2n], [0n]],
  ['@-1h:end', [50n, 110n], [2n, 5n], [0n, 0n]],
  ['@-1h:-30m', [50n, 60n], [2n, 5n], [0n, 0n]],
  ['@:-30m', [10n, 60n], [0n, 5n], [0n, 0n]],
])('%s', (text, ...expected) => {
  const ranges = expected.map(([from, to], partition) =>
    to === undefined ? { partition, from } : { partition, from, to },
  );
  expect(resolve(text)).toEqual(ranges);
});

test.each(['111', '111:200', '9223372036854775807'])(
  '%s is out of range: no partition reaches it',
  (text) => {
    expect(() => resolve(text)).toThrow(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }));
  },
);

test('an offset below the low watermark is out of range where no other partition has it', () => {
  const [first] = BOUNDS;
  const bounds = first === undefined ? [] : [first];
  expect(() => resolve('9', bounds)).toThrow('Offset 9 is in no partition: partition 0 has 10 to 110.');
  expect(() => resolve(':9', bounds)).toThrow(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }));
  expect(resolve('10', bounds)).toEqual([{ partition: 0, from: 10n }]);
  expect(resolve(':10', bounds)).toEqual([{ partition: 0, from: 10n, to: 10n }]);
});

test('the message names four partitions and counts the rest', () => {
  const bounds = Array.from({ length: 50 }, (_, partition) => ({ partition, low: 0n, high: 1n }));
  expect(() => resolve('7', bounds)).toThrow(/partition 3 has 0 to 1, and 46 more\.$/);
});

test('without partitions there is nothing to read and nothing out of range', () => {
  expect(resolve('111', [])).toEqual([]);
});

test('times are asked for only where the specification has them', () => {
  const asked: string[] = [];
  const atTime = (edge: 'from' | 'to') => {
    asked.push(edge);
    return TIMES[edge];
  };
  resolveOffsets(parseOffsetSpec('3:40', NOW), BOUNDS, atTime);
  expect(asked).toEqual([]);
  resolveOffsets(parseOffsetSpec('@:-1h', NOW), BOUNDS, atTime);
  expect(asked).toEqual(['to']);
});

test('every range lies within its partition and does not run backwards', () => {
  const point = fc.oneof(
    fc.bigInt({ min: 0n, max: 200n }).map(String),
    fc.tuple(fc.constantFrom('+', '-'), fc.nat(200)).map(([sign, count]) => `${sign}${String(count)}`),
  );
  const bounds = fc
    .array(fc.tuple(fc.nat(100), fc.nat(100)), { minLength: 1, maxLength: 4 })
    .map((pairs) =>
      pairs.map(([low, size], partition) => ({ partition, low: BigInt(low), high: BigInt(low + size) })),
    );
  fc.assert(
    fc.property(point, fc.option(point), bounds, (from, to, watermarks) => {
      let ranges;
      try {
        ranges = resolve(to === null ? from : `${from}:${to}`, watermarks);
      } catch (error) {
        expect(error).toMatchObject({ name: 'UserEventsError' });
        return;
      }
      expect(ranges.map(({ partition }) => partition)).toEqual(watermarks.map(({ partition }) => partition));
      for (const range of ranges) {
        const { low = 0n, high = 0n } = watermarks[range.partition] ?? {};
        expect(low <= range.from && range.from <= (range.to ?? high) && (range.to ?? high) <= high).toBe(
          true,
        );
      }
    }),
    { numRuns: 1000 },
  );
});
