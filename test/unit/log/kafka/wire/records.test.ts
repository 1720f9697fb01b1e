import { describe, expect, test } from '@jest/globals';
import { decodeFetchBody } from '../../../../../src/log/kafka/fast-fetch.ts';
import { nextOffsetOf, recordBatches, toRecordBatch } from '../../../../../src/log/kafka/fetched-batch.ts';
import type { FetchedPartition } from '../../../../../src/log/kafka/private-api.ts';
import {
  batchOf,
  fetchAnswer,
  markerOf,
  record,
  type AnswerPartition,
  type BatchOptions,
} from '../../../../support/wire-bytes.ts';

async function partitionOf(
  sets: readonly Buffer[],
  more: Partial<AnswerPartition> = {},
): Promise<FetchedPartition> {
  const body = fetchAnswer({ users: [{ partition: 0, set: Buffer.concat(sets), ...more }] });
  const [fetched] = (await decodeFetchBody(body)).responses.flatMap(({ partitions }) => partitions);
  if (fetched === undefined) throw new Error('No partition');
  return fetched;
}

async function read(sets: readonly Buffer[], from: bigint, aborted: AnswerPartition['aborted'] = null) {
  const fetched = await partitionOf(sets, { aborted });
  const { records, nextOffset } = toRecordBatch(fetched, from);
  expect(nextOffsetOf(fetched, from)).toBe(nextOffset);
  return { values: records.map(({ value }) => value?.toString()), nextOffset };
}

/** What a stock consumer of kafkajs is shown. */
async function shown(sets: readonly Buffer[], aborted: AnswerPartition['aborted'] = null) {
  const { messages } = await partitionOf(sets, { aborted });
  return messages.map(({ offset, isControlRecord }) => (isControlRecord === true ? `-${offset}` : offset));
}

const ofProducer = (producerId: bigint): Partial<BatchOptions> => ({ producerId, isTransactional: true });

describe('the records of an answer', () => {
  test('begin at the offset asked for, within a batch too', async () => {
    const sets = [batchOf(0n, ['a', 'b', 'c']), batchOf(3n, ['d'])];
    expect(await read(sets, 2n)).toEqual({ values: ['c', 'd'], nextOffset: 4n });
    expect(await read(sets, 3n)).toEqual({ values: ['d'], nextOffset: 4n });
    expect(await read([], 3n)).toEqual({ values: [], nextOffset: 3n });
  });

  test('end behind the range of their last batch, whatever compaction has left in it', async () => {
    const compacted = batchOf(10n, [], { lastOffsetDelta: 9, records: [record('a', { offsetDelta: 2 })] });
    expect(await read([compacted], 0n)).toEqual({ values: ['a'], nextOffset: 20n });
    expect(await read([compacted], 15n)).toEqual({ values: [], nextOffset: 20n });
    const empty = batchOf(20n, [], { lastOffsetDelta: 4 });
    expect(await read([compacted, empty], 0n)).toEqual({ values: ['a'], nextOffset: 25n });
    expect(await shown([compacted, empty])).toEqual(['12', '-24']);
  });

  test('leave out markers, and end behind them', async () => {
    const sets = [batchOf(0n, ['a'], ofProducer(9n)), markerOf(1n, 9n, 'commit')];
    expect(await read(sets, 0n)).toEqual({ values: ['a'], nextOffset: 2n });
    expect(await read(sets.slice(1), 1n)).toEqual({ values: [], nextOffset: 2n });
    expect(await shown(sets)).toEqual(['0', '-1']);
  });

  test('leave out what was aborted, of each producer until its own marker', async () => {
    const sets = [
      batchOf(5n, ['no 2'], ofProducer(2n)),
      batchOf(6n, ['no 1'], ofProducer(1n)),
      batchOf(7n, ['yes']),
      markerOf(8n, 1n, 'abort'),
      batchOf(9n, ['yes 1'], ofProducer(1n)),
      batchOf(10n, ['no 2'], ofProducer(2n)),
      markerOf(11n, 2n, 'abort'),
    ];
    const aborted = [
      { producerId: 2n, firstOffset: 1n },
      { producerId: 1n, firstOffset: 0n },
    ];
    expect(await read(sets, 5n, aborted)).toEqual({ values: ['yes', 'yes 1'], nextOffset: 12n });
    expect(await shown(sets, aborted)).toEqual(['7', '9', '-11']);
    expect((await read(sets, 5n, null)).values).toHaveLength(5);
  });

  test('of an aborted transaction stay hidden behind one whose key looks like a marker', async () => {
    const sets = [
      batchOf(0n, [], { ...ofProducer(1n), records: [record('no', { key: Buffer.alloc(4) })] }),
      batchOf(1n, ['no'], ofProducer(1n)),
      markerOf(2n, 1n, 'abort'),
      batchOf(3n, ['yes'], ofProducer(1n)),
    ];
    const aborted = [{ producerId: 1n, firstOffset: 0n }];
    expect(await read(sets, 0n, aborted)).toEqual({ values: ['yes'], nextOffset: 4n });
  });

  test('of a producer that committed between two transactions that it aborted are there', async () => {
    const sets = [
      batchOf(0n, ['no'], ofProducer(1n)),
      markerOf(1n, 1n, 'abort'),
      batchOf(2n, ['yes'], ofProducer(1n)),
      markerOf(3n, 1n, 'commit'),
      batchOf(4n, ['no'], ofProducer(1n)),
      markerOf(5n, 1n, 'abort'),
    ];
    const aborted = [
      { producerId: 1n, firstOffset: 0n },
      { producerId: 1n, firstOffset: 4n },
    ];
    expect(await read(sets, 0n, aborted)).toEqual({ values: ['yes'], nextOffset: 6n });
  });

  test('have their headers in the order written, names that interleave and repeat among them', async () => {
    const names = ['a', 'b', 'a', '1', '__proto__', 'toString', 'a', 'größe', '1'];
    const headers = names.map((key, at) => ({ key, value: at === 2 ? null : Buffer.from(String(at)) }));
    const changed = headers.map((header, at) => (at === 6 ? { key: 'a', value: Buffer.from('z') } : header));
    const long = headers.map((header) => ({ ...header, value: Buffer.alloc(65, header.key) }));
    const other = [{ key: 'b', value: Buffer.from('x') }, ...headers.slice(1)];
    const lists = [headers, other, headers, changed, long, long];
    const sets = [
      batchOf(0n, [], {
        records: lists.map((list, offsetDelta) => record('v', { offsetDelta, headers: list })),
      }),
    ];
    const { records } = toRecordBatch(await partitionOf(sets), 0n);
    expect(records.map((each) => each.headers)).toEqual(lists);
    expect(records[0]?.headers).toBe(records[0]?.headers);
  });

  test('have the time of the append where the topic says so', async () => {
    const [time, appended] = [1_700_000_000_000n, 1_800_000_000_000n];
    const times = { baseTimestamp: time, maxTimestamp: appended };
    const sets = [
      batchOf(0n, ['a'], times),
      batchOf(1n, ['a'], { ...times, isLogAppendTime: true }),
      batchOf(2n, [], { ...times, records: [record('a', { timestampDelta: 366n * 86_400_000n })] }),
    ];
    const { records } = toRecordBatch(await partitionOf(sets), 0n);
    expect(records.map(({ timestamp }) => BigInt(timestamp))).toEqual([
      time,
      appended,
      time + 366n * 86_400_000n,
    ]);
  });

  test('come a portion at a time, each read when its turn comes', async () => {
    const sets = Array.from({ length: 10 }, (_, at) =>
      batchOf(
        BigInt(at) * 100n,
        Array.from({ length: 100 }, (__, index) => String(index)),
      ),
    );
    const portions = [...recordBatches(await partitionOf(sets), 50n)];
    expect(portions.map(({ records, nextOffset }) => [records.length, nextOffset])).toEqual([
      [250, 300n],
      [300, 600n],
      [300, 900n],
      [100, 1000n],
    ]);
  });
});
