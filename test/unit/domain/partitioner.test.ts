import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { murmur2, partitionFor } from '../../../src/domain/partitioner.ts';

interface VectorFile {
  readonly partitionCounts: readonly number[];
  readonly vectors: readonly { key: string; hash: number; partitions: readonly number[] }[];
}

function readVectors(): VectorFile {
  const file = new URL('murmur2-vectors.json', import.meta.url);
  const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!isVectorFile(parsed)) throw new Error('murmur2-vectors.json is not what this test reads');
  return parsed;
}

function isVectorFile(value: unknown): value is VectorFile {
  return typeof value === 'object' && value !== null && 'vectors' in value && 'partitionCounts' in value;
}

test("hashes and partitions every key as the Java client's vectors say", () => {
  const { vectors, partitionCounts } = readVectors();
  expect(vectors.length).toBeGreaterThan(290);
  for (const { key, hash, partitions } of vectors) {
    const bytes = Buffer.from(key, 'base64');
    const ours = partitionCounts.map((count) => partitionFor(bytes, count));
    expect({ key, hash: murmur2(bytes), partitions: ours }).toEqual({ key, hash, partitions });
  }
});

test('the vectors have keys of every length mod 4, an empty one, high bytes and keys above 1,000 bytes', () => {
  const keys = readVectors().vectors.map(({ key }) => Buffer.from(key, 'base64'));
  expect(new Set(keys.map(({ length }) => length % 4))).toEqual(new Set([0, 1, 2, 3]));
  expect(keys.some(({ length }) => length === 0)).toBe(true);
  expect(keys.some((key) => key.length > 0 && key.every((byte) => byte >= 0x80))).toBe(true);
  expect(keys.some(({ length }) => length > 1000)).toBe(true);
});

test('the partition of any key is one of the partitions, and the same for a Buffer and a Uint8Array', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.integer({ min: 1, max: 1000 }), (key, count) => {
      const partition = partitionFor(key, count);
      expect(Number.isInteger(partition) && partition >= 0 && partition < count).toBe(true);
      expect(partitionFor(Buffer.from(key), count)).toBe(partition);
    }),
  );
});
