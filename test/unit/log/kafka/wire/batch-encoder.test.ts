import { createRequire } from 'node:module';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  timeSpanOf,
  writeBatch,
  type OutgoingRecord,
} from '../../../../../src/log/kafka/wire/batch-encoder.ts';
import { ByteWriter } from '../../../../../src/log/kafka/wire/byte-writer.ts';

const NOW = Date.UTC(2026, 4, 1);
const BATCH = { producerId: -1n, producerEpoch: 0, firstSequence: 0, isTransactional: false };

interface Decoded {
  readonly maxTimestamp: string;
  readonly records: readonly { readonly timestamp: string; readonly offset: string }[];
}

/** What kafkajs reads from a batch of these records. */
async function decodedByStock(records: readonly OutgoingRecord[]): Promise<Decoded> {
  const out = new ByteWriter(64);
  writeBatch(out, { ...BATCH, records }, timeSpanOf(records, NOW), null);
  const require = createRequire(import.meta.url);
  const decode: unknown = require('kafkajs/src/protocol/recordBatch/v0/decoder');
  const Decoder: unknown = require('kafkajs/src/protocol/decoder');
  if (typeof decode !== 'function' || typeof Decoder !== 'function')
    throw new Error('This is not kafkajs 2.2.4');
  const decoded: unknown = await Reflect.apply(decode, undefined, [
    Reflect.construct(Decoder, [out.written]),
  ]);
  if (!isDecoded(decoded)) throw new Error('This is not kafkajs 2.2.4');
  return decoded;
}

function isDecoded(value: unknown): value is Decoded {
  return typeof value === 'object' && value !== null && 'records' in value && 'maxTimestamp' in value;
}

describe('the timestamps of a batch', () => {
  test.each([
    ['in any order', [5, 1, 9], ['5', '1', '9']],
    ['of different lengths', [1_000, 999, 100_000], ['1000', '999', '100000']],
    ['before the epoch', [-1, -5_000_000_000, 0], ['-1', '-5000000000', '0']],
    ['a century apart', [0, NOW, 2 * NOW], ['0', String(NOW), String(2 * NOW)]],
    [
      'in nanoseconds, by mistake',
      ['1767225600123456789', '1767225600123456788', NOW],
      ['1767225600123456789', '1767225600123456788', String(NOW)],
    ],
    ['of some records alone', [NOW - 1, undefined, NOW + 1], [NOW - 1, NOW, NOW + 1].map(String)],
    ['of the last record missing', [NOW - 1, undefined], [NOW - 1, NOW].map(String)],
  ])('%s are exact, and the largest is told', async (_, given, expected) => {
    const records = given.map((timestamp) => ({
      value: null,
      ...(timestamp === undefined ? {} : { timestamp }),
    }));
    const { maxTimestamp, records: found } = await decodedByStock(records);
    expect(found.map(({ timestamp }) => timestamp)).toEqual(expected);
    const largest = expected.map(BigInt).reduce((a, b) => (a > b ? a : b));
    expect(maxTimestamp).toBe(String(largest));
  });

  test('are exact whatever 64 bits they are', async () => {
    const times = fc.array(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n - 1n }).map(String), {
      minLength: 1,
    });
    const check = fc.asyncProperty(times, async (given) => {
      const { records } = await decodedByStock(given.map((timestamp) => ({ value: null, timestamp })));
      expect(records.map(({ timestamp }) => timestamp)).toEqual(given);
    });
    await fc.assert(check, { numRuns: 300 });
  });
});
