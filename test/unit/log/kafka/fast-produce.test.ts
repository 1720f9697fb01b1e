import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { fastProduce } from '../../../../src/log/kafka/fast-produce.ts';
import { toKafkaHeaders } from '../../../../src/log/kafka/headers.ts';
import type { OutgoingRecord } from '../../../../src/log/kafka/wire/batch-encoder.ts';
import { stockProduce, type StockProduceOptions } from '../../../support/stock-produce.ts';

const NOW = Date.UTC(2026, 4, 1, 12);
const YEAR_MS = 366 * 24 * 3_600_000;
const RUNS = 2_000;

/** Lengths at which a varint (zigzag) becomes a byte longer, for a field and for the record around it. */
const BORDERS = [
  0, 1, 40, 50, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 127, 128, 8_150, 8_180, 8_191, 8_192,
];
const LARGE_BORDERS = [...BORDERS, 1_048_540, 1_048_575, 1_048_576];

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)),
  fc.constantFrom(...BORDERS).map((length) => Buffer.alloc(length, 'x')),
);
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
);
const bytesOrText = fc.oneof(bytes, text);
const headers = fc.dictionary(text, fc.oneof(bytesOrText, fc.array(bytesOrText, { maxLength: 4 })), {
  maxKeys: 6,
});
/** Thirteen digits all of them: kafkajs sorts them as texts. */
const timestamp = fc.integer({ min: NOW - YEAR_MS, max: NOW + YEAR_MS }).map(String);

function recordsWith(time: fc.Arbitrary<string> | null): fc.Arbitrary<OutgoingRecord[]> {
  const record = fc.record(
    {
      key: fc.option(bytesOrText),
      value: fc.option(bytesOrText),
      headers,
      ...(time === null ? {} : { timestamp: time }),
    },
    { requiredKeys: ['value', ...(time === null ? [] : (['timestamp'] as const))] },
  );
  return fc.array(record, { minLength: 1, maxLength: 12 });
}

const records = fc.oneof(recordsWith(timestamp), recordsWith(null), recordsWith(fc.constant(String(NOW))));

const options: fc.Arbitrary<StockProduceOptions> = fc
  .record({
    acks: fc.constantFrom(-1, 0, 1),
    timeout: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    producer: fc.oneof(
      fc.constant({ producerId: -1, producerEpoch: 0 }),
      fc.record({
        producerId: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(String),
        producerEpoch: fc.integer({ min: 0, max: 32_767 }),
      }),
    ),
    transactionalId: fc.option(fc.string({ minLength: 1, maxLength: 30 }), { nil: undefined }),
    topicData: fc.array(
      fc.record({
        topic: fc.string({ unit: fc.constantFrom('a', 'b', '-', '.', '0'), minLength: 1, maxLength: 249 }),
        partitions: fc.array(
          fc.record({
            partition: fc.nat(),
            firstSequence: fc.nat(),
            messages: records,
          }),
          { maxLength: 3 },
        ),
      }),
      { maxLength: 2 },
    ),
  })
  .map(({ producer, transactionalId, ...rest }) => ({
    ...rest,
    ...producer,
    compression: 0,
    ...(transactionalId === undefined ? {} : { transactionalId }),
  }));

async function encodeFast(version: number, request: StockProduceOptions): Promise<Buffer> {
  const use = { encoded: 0, decoded: 0 };
  const { buffer } = await fastProduce(stockProduce(version, request), request, use).request.encode();
  expect(use.encoded).toBe(1);
  return buffer;
}

async function encodeStock(version: number, request: StockProduceOptions): Promise<Buffer> {
  return (await stockProduce(version, request).request.encode()).buffer;
}

async function expectStockBytes(version: number, request: StockProduceOptions): Promise<void> {
  const [ours, stock] = [await encodeFast(version, request), await encodeStock(version, request)];
  expect(ours.equals(stock)).toBe(true);
}

function requestOf(
  messages: readonly OutgoingRecord[],
  more: Partial<StockProduceOptions> = {},
): StockProduceOptions {
  const partitions = [{ partition: 0, firstSequence: 0, messages }];
  return {
    acks: -1,
    timeout: 30_000,
    compression: 0,
    producerId: -1,
    producerEpoch: 0,
    topicData: [{ topic: 'users', partitions }],
    ...more,
  };
}

describe('a Produce request of the fast codec', () => {
  beforeEach(() => {
    jest.spyOn(Date, 'now').mockReturnValue(NOW);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test.each([3, 4, 5, 6, 7])('has in version %i the bytes of kafkajs', async (version) => {
    const check = fc.asyncProperty(options, (request) => expectStockBytes(version, request));
    await fc.assert(check, { numRuns: RUNS / 5 });
  });

  test.each(LARGE_BORDERS)('has the bytes of kafkajs around fields of %i bytes', async (length) => {
    const value = Buffer.alloc(length, 'v');
    const messages = [{ value }, { key: value, value: null }, { value: '', headers: { h: value } }];
    await expectStockBytes(7, requestOf(messages));
  });

  test('has the bytes of kafkajs for more records than a first guess of the size holds', async () => {
    const messages = Array.from({ length: 9_000 }, (_, index) => ({
      key: `user ${index}`,
      value: 'x'.repeat(index % 700),
      timestamp: String(NOW + index * 50_000),
    }));
    await expectStockBytes(7, requestOf(messages));
  });

  test('has a list of headers in its own order, names again and null values too', async () => {
    const list = ['a', 'b', 'a', '1', 'ä'].map((key, at) => ({
      key,
      value: at === 1 ? null : Buffer.from([at]),
    }));
    const ours = await encodeFast(7, requestOf([{ value: 'x', headers: list }]));
    const stock = await encodeStock(7, requestOf([{ value: 'x', headers: toKafkaHeaders(list) }]));
    expect(ours.equals(stock)).toBe(true);
  });

  test.each([0, 1, 2])("is kafkajs's own in version %i", (version) => {
    const protocol = stockProduce(version, requestOf([{ value: 'x' }]));
    expect(fastProduce(protocol, requestOf([]), { encoded: 0, decoded: 0 })).toBe(protocol);
  });

  test('is refused where the compression is not known', async () => {
    const request = requestOf([{ value: 'x' }], { compression: 5 });
    const fast = fastProduce(stockProduce(7, request), request, { encoded: 0, decoded: 0 });
    await expect(fast.request.encode()).rejects.toThrow('There is no compression 5');
  });
});
