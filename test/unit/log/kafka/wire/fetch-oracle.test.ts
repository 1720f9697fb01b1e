import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { LogRecord, RecordHeader } from '../../../../../src/domain/record.ts';
import { DecodedPartition } from '../../../../../src/log/kafka/decoded-partition.ts';
import { decodeFetchBody } from '../../../../../src/log/kafka/fast-fetch.ts';
import { nextOffsetOf, recordBatches, toRecordBatch } from '../../../../../src/log/kafka/fetched-batch.ts';
import { toKafkaHeaders } from '../../../../../src/log/kafka/headers.ts';
import type { FetchedPartition, FetchResponse } from '../../../../../src/log/kafka/private-api.ts';
import type { RecordBatch } from '../../../../../src/log/event-log.ts';
import { stockDecodeFetch } from '../../../../support/stock-fetch.ts';
import { stockRecordSet } from '../../../../support/stock-produce.ts';
import {
  batchBytes,
  fetchAnswer,
  type BatchOptions,
  type BatchRecord,
} from '../../../../support/wire-bytes.ts';

const RUNS = 2_000;
/** A machine that does other things too. ms. */
const RUNS_MS = 60_000;
/** Two of them make a sum of 64 bits: past those Java's wraps, and kafkajs's does not. */
const int63 = fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n - 1n });
const YEAR_MS = 366n * 24n * 3_600_000n;
/** Lengths at which a varint becomes a byte longer. */
const BORDERS = [0, 1, 63, 64, 65, 127, 128, 8_191, 8_192, 8_193];

const bytes = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 30 }).map((array) => Buffer.from(array)) },
  { weight: 1, arbitrary: fc.constantFrom(...BORDERS).map((length) => Buffer.alloc(length, 'x')) },
);
/** kafkajs's objects put names that are integers first: those are left to the tests of headers. */
const name = fc.oneof(
  fc.constantFrom('a', 'b', 'ce_id', 'toString', 'größe', ''),
  fc.string({ unit: 'grapheme', maxLength: 10 }).filter((text) => !/^\d|__proto__/.test(text)),
);
const headers = fc.array(fc.record({ key: name, value: fc.option(bytes) }), { maxLength: 6 });
const timestampDelta = fc.oneof(
  fc.bigInt({ min: -YEAR_MS, max: YEAR_MS }),
  fc.constantFrom(0n, 63n, -64n, 64n, 2n ** 27n, 2n ** 31n, -(2n ** 31n) - 1n, 2n ** 35n),
  int63,
);
const gaps = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 8 });

/** Batches as brokers have them: consecutive, compacted here and there, some of transactions and some of markers. */
const batches: fc.Arbitrary<BatchOptions[]> = fc
  .record({
    first: fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 62n }), fc.constantFrom(0n, 2n ** 31n - 2n, 2n ** 32n)),
    list: fc.array(
      fc.record({
        gaps,
        tail: fc.integer({ min: 0, max: 3 }),
        baseTimestamp: fc.oneof(fc.constant(1_700_000_000_000n), int63),
        maxTimestamp: fc.oneof(fc.constant(1_700_000_000_000n), int63),
        isLogAppendTime: fc.boolean(),
        kind: fc.constantFrom('plain', 'transactional', 'abort', 'commit'),
        producerId: fc.bigInt({ min: 0n, max: 3n }),
        bodies: fc.array(
          fc.record({ timestampDelta, key: fc.option(bytes), value: fc.option(bytes), headers }),
          {
            minLength: 8,
            maxLength: 8,
          },
        ),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  })
  .map(({ first, list }) => {
    let next = first;
    return list.map(({ gaps: steps, tail, bodies, kind, producerId, ...rest }) => {
      let offsetDelta = -1;
      const isControl = kind === 'abort' || kind === 'commit';
      const marker = Buffer.from([0, 0, 0, kind === 'abort' ? 0 : 1]);
      const records: BatchRecord[] = (isControl ? [1] : steps).map((step, index) => {
        offsetDelta += step;
        const body = bodies[index] ?? { timestampDelta: 0n, key: null, value: null, headers: [] };
        return { offsetDelta, ...body, ...(isControl ? { key: marker } : {}) };
      });
      const baseOffset = next;
      const lastOffsetDelta = offsetDelta + tail;
      next += BigInt(lastOffsetDelta) + 1n;
      return {
        ...rest,
        baseOffset,
        lastOffsetDelta,
        records,
        isControl,
        isTransactional: kind !== 'plain',
        producerId: kind === 'plain' ? -1n : producerId,
      };
    });
  });

/** Bytes as a text: jest compares those much faster. */
const textOf = (value: Buffer | null) => value?.toString('latin1') ?? null;

/** What kafkajs makes of headers: gathered by name, in the order of the first value of each. */
function gathered(records: readonly LogRecord[]) {
  return records.map(({ partition, offset, timestamp, key, value, headers: list }) => {
    const names = [...new Set(list.map((header) => header.key))];
    const byName = names.flatMap((each) => list.filter((header) => header.key === each));
    const shown = byName.map((header) => [header.key, textOf(header.value)]);
    return { partition, offset, timestamp, key: textOf(key), value: textOf(value), headers: shown };
  });
}

function only({ responses }: FetchResponse): FetchedPartition {
  const [partition, ...more] = responses.flatMap(({ partitions }) => partitions);
  if (partition === undefined || more.length > 0) throw new Error('Not one partition');
  return partition;
}

function joined(list: readonly RecordBatch[]) {
  return { records: gathered(list.flatMap(({ records }) => records)), next: list.at(-1)?.nextOffset };
}

describe('the decoder of fetch answers', () => {
  test(
    'finds what kafkajs finds, in every batch that there may be',
    async () => {
      // A transaction begins where a batch does, or before all of them.
      const aborted = fc.option(
        fc.array(fc.record({ producerId: fc.bigInt({ min: 0n, max: 3n }), at: fc.nat(4) }), { maxLength: 3 }),
      );
      await fc.assert(
        fc.asyncProperty(batches, aborted, fc.nat(12), async (list, abortedAt, skipped) => {
          const first = list[0]?.baseOffset ?? 0n;
          const from = first + BigInt(skipped);
          const body = fetchAnswer({
            users: [
              {
                partition: 7,
                highWatermark: 2n ** 62n + 5n,
                aborted:
                  abortedAt?.map(({ producerId, at }) => ({
                    producerId,
                    firstOffset: list[at]?.baseOffset ?? first - 1n,
                  })) ?? null,
                set: Buffer.concat(list.map(batchBytes)),
              },
            ],
          });
          const stock = toRecordBatch(only(await stockDecodeFetch(body)), from);
          const partition = only(await decodeFetchBody(body));
          const ours = toRecordBatch(partition, from);
          expect(ours).toMatchObject({
            partition: 7,
            nextOffset: stock.nextOffset,
            highWatermark: stock.highWatermark,
          });
          expect(gathered(ours.records)).toEqual(gathered(stock.records));
          expect(nextOffsetOf(partition, from)).toBe(stock.nextOffset);
          const portions = joined([...recordBatches(partition, from)]);
          expect(portions.records).toEqual(gathered(stock.records));
          expect(portions.next ?? from).toBe(stock.nextOffset);
        }),
        { numRuns: RUNS },
      );
    },
    RUNS_MS,
  );

  test(
    'reads what kafkajs writes, as kafkajs reads it',
    async () => {
      const message = fc.record({ key: fc.option(bytes), value: fc.option(bytes), headers });
      await fc.assert(
        fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 10 }), async (messages) => {
          const set = await stockRecordSet(
            messages.map((each, index) => ({
              ...each,
              headers: toKafkaHeaders(each.headers),
              timestamp: String(1e12 + index),
            })),
          );
          const body = fetchAnswer({ users: [{ partition: 0, set }] });
          const stock = only(await stockDecodeFetch(body));
          const ours = only(await decodeFetchBody(body));
          expect(ours).toBeInstanceOf(DecodedPartition);
          const { records } = toRecordBatch(ours, 0n);
          const namesOf = (list: readonly RecordHeader[]) =>
            list.map(({ key, value }) => [key, textOf(value)]);
          expect(records.map((each) => namesOf(each.headers))).toEqual(
            messages.map((each) => namesOf(each.headers)),
          );
          const fieldsOf = ({
            offset,
            timestamp,
            key,
            value,
            headers: byName,
          }: FetchedPartition['messages'][number]) => ({
            ...{ offset, timestamp, key: textOf(key), value: textOf(value) },
            names: Object.keys(byName ?? {}),
          });
          expect(ours.messages.map(fieldsOf)).toEqual(stock.messages.map(fieldsOf));
        }),
        { numRuns: 500 },
      );
    },
    RUNS_MS,
  );

  test('tells of partitions and errors what kafkajs tells', async () => {
    const body = fetchAnswer({
      users: [
        { partition: 0, set: Buffer.alloc(0) },
        { partition: 5, aborted: [], set: Buffer.alloc(0), errorCode: 1 },
      ],
      größe: [{ partition: 1, set: Buffer.alloc(0), highWatermark: 2n ** 40n }],
    });
    const plain = ({ responses, ...head }: FetchResponse) => ({
      ...head,
      responses: responses.map(({ topicName, partitions }) => ({
        topicName,
        partitions: partitions.map((partition) => ({ ...partition, messages: [...partition.messages] })),
      })),
    });
    expect(plain(await decodeFetchBody(body))).toEqual(plain(await stockDecodeFetch(body)));
  });
});
