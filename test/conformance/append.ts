import { describe, expect, test } from '@jest/globals';
import {
  errorOf,
  groupBy,
  header,
  readAll,
  record,
  records,
  textOf,
  useLogs,
  type EventLogFactory,
} from './harness.ts';

/** `Utils.murmur2` of these texts, from the Java client's own test (UtilsTest). */
const MURMUR2 = {
  '21': -973932308,
  foobar: -790332482,
  'a-little-bit-long-string': -985981536,
  'a-little-bit-longer-string': -1486304829,
  lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: -58897971,
  abc: 479470107,
} as const;

export function describeAppend(factory: EventLogFactory): void {
  const logs = useLogs((options) => factory.create(options));

  describe('appending', () => {
    test('returns the position of every record, in the order given', async () => {
      const { log } = await logs.fresh();
      const input = records(50);
      const positions = await log.append(input);
      const found = await readAll(log);
      for (const [index, position] of positions.entries()) {
        const there = found.find(
          ({ partition, offset }) => partition === position.partition && offset === position.offset,
        );
        expect(there && textOf(there)).toBe(String(index));
      }
      expect(positions).toHaveLength(input.length);
    });

    test('keeps the order of every key, over several calls', async () => {
      const { log } = await logs.fresh();
      for (const from of [0, 30, 60]) await log.append(records(30, { from, keys: 7 }));
      const byKey = groupBy(await readAll(log), ({ key }) => key?.toString());
      expect(byKey.size).toBe(7);
      for (const [key, found] of byKey) {
        const expected = records(90, { keys: 7 }).filter((sent) => sent.key?.toString() === key);
        expect(found.map(textOf)).toEqual(expected.map(textOf));
      }
    });

    test("puts a key where Java's murmur2 puts it", async () => {
      const { log } = await logs.fresh(5);
      const keys = Object.keys(MURMUR2);
      const positions = await log.append(keys.map((key) => record(key, 'x')));
      const expected = Object.values(MURMUR2).map((hash) => (hash & 0x7fffffff) % 5);
      expect(positions.map(({ partition }) => partition)).toEqual(expected);
    });

    test('puts a record into the partition that it names, whatever its key', async () => {
      const { log } = await logs.fresh();
      const positions = await log.append([3, 0, 3].map((partition) => record('abc', 'x', { partition })));
      expect(positions).toEqual([
        { partition: 3, offset: 0n },
        { partition: 0, offset: 0n },
        { partition: 3, offset: 1n },
      ]);
    });

    test('refuses a partition that the topic does not have', async () => {
      const { log } = await logs.fresh(2);
      const error = await errorOf(log.append([record('a', 'x', { partition: 2 })]));
      expect(error).toMatchObject({ code: 'LOG_REFUSED', facts: { appended: 0 } });
    });

    test('spreads records without a key over all partitions', async () => {
      const { log } = await logs.fresh();
      const positions = await log.append(Array.from({ length: 40 }, () => record(null, 'x')));
      expect(new Set(positions.map(({ partition }) => partition))).toEqual(new Set([0, 1, 2, 3]));
    });

    test('keeps timestamps, and gives the time of the append to a record without one', async () => {
      const { log } = await logs.fresh(1);
      const before = Date.now();
      await log.append([
        record('a', 'early', { timestamp: 1_000 }),
        record('a', 'late', { timestamp: 1_700_000_000_123 }),
        record('a', 'in between', { timestamp: 999_999_999_999 }),
        record('a', 'now'),
      ]);
      const times = (await readAll(log)).map(({ timestamp }) => timestamp);
      expect(times.slice(0, 3)).toEqual([1_000, 1_700_000_000_123, 999_999_999_999]);
      expect(times[3]).toBeGreaterThanOrEqual(before - 1_000);
      expect(times[3]).toBeLessThanOrEqual(Date.now() + 1_000);
    });

    test('keeps keys and values byte for byte, null and empty ones apart', async () => {
      const { log } = await logs.fresh(1);
      const bytes = Buffer.from([0x00, 0xff, 0xfe, 0x80, 0x00]);
      const pairs = [
        { key: null, value: null },
        { key: Buffer.alloc(0), value: Buffer.alloc(0) },
        { key: bytes, value: bytes },
        { key: null, value: bytes },
        { key: bytes, value: null },
        { key: Buffer.from([0, 0, 0, 0]), value: Buffer.from('{"userId":"ä€😀"}') },
      ];
      await log.append(pairs.map((pair) => ({ ...pair, headers: [], partition: 0 })));
      expect((await readAll(log)).map(({ key, value }) => ({ key, value }))).toEqual(pairs);
    });

    test.each([
      ['none', []],
      ['bytes that are no text', [{ key: 'bytes', value: Buffer.from([0xff, 0x00, 0xfe]) }]],
      [
        'a repeated name',
        [header('a', '1'), header('b', '2'), header('c', '3'), header('c', ''), header('c', '1')],
      ],
      ['no value', [header('a', '1'), header('nothing', null), header('empty', ''), header('b', '2')]],
      ['a repeated name without a value', [header('a', null), header('a', '1'), header('a', null)]],
      ['odd names', [header('7', '1'), header('', '2'), header('ключ €', 'ü'), header('constructor', '4')]],
      ['a name that objects keep for themselves', [header('a', '1'), header('__proto__', '2')]],
    ])('keeps headers byte for byte: %s', async (_, headers) => {
      const { log } = await logs.fresh(1);
      await log.append([record('a', 'x', { headers }), record('a', 'y')]);
      const [first, second] = await readAll(log);
      expect(first?.headers).toEqual(headers);
      expect(second?.headers).toEqual([]);
    });

    test('keeps headers whose names interleave, in the order written where the log can', async () => {
      const { log } = await logs.fresh(1);
      const [a1, b, a2] = [header('a', '1'), header('b', '2'), header('a', '3')];
      await log.append([record('a', 'x', { headers: [a1, b, a2] })]);
      const expected = factory.gathersHeaders === true ? [a1, a2, b] : [a1, b, a2];
      expect((await readAll(log)).map(({ headers }) => headers)).toEqual([expected]);
    });

    test('appends nothing for no records', async () => {
      const { log } = await logs.fresh();
      expect(await log.append([])).toEqual([]);
      expect((await log.watermarks()).map(({ high }) => high)).toEqual([0n, 0n, 0n, 0n]);
    });

    test('appends 20,000 records in one call and keeps the order of every partition', async () => {
      const { log } = await logs.fresh();
      const positions = await log.append(records(20_000, { keys: 997 }));
      const next = [0n, 0n, 0n, 0n];
      const misplaced = positions.filter(({ partition, offset }) => {
        const isNext = offset === next[partition];
        next[partition] = offset + 1n;
        return !isNext;
      });
      expect(misplaced).toEqual([]);
      expect((await log.watermarks()).map(({ high }) => high)).toEqual(next);
    });

    test('says at once that the topic is missing, and that nothing is in', async () => {
      const log = logs.open('conformance_no_such_topic');
      const start = performance.now();
      const error = await errorOf(log.append([record('a', 'x')]));
      expect(error).toMatchObject({ code: 'TOPIC_NOT_FOUND', facts: { appended: 0 } });
      expect(performance.now() - start).toBeLessThan(2_000);
    });
  });
}
