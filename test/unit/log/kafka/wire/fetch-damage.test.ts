import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeFetchBody } from '../../../../../src/log/kafka/fast-fetch.ts';
import { recordBatches, toRecordBatch } from '../../../../../src/log/kafka/fetched-batch.ts';
import { crc32c } from '../../../../../src/log/kafka/wire/crc32c.ts';
import {
  batchBytes,
  batchOf,
  fetchAnswer,
  markerOf,
  record,
  recordBytes,
} from '../../../../support/wire-bytes.ts';

const NAMED = ['LOG_CORRUPT', 'LOG_FORMAT_OLD'];
const FUZZ_RUNS = 4_000;
/** A machine that does other things too. ms. */
const FUZZ_MS = 60_000;

interface Found {
  readonly values: readonly string[];
  /** The code of the error at the end, if there is one. */
  readonly code: string | null;
}

/** All that can be read of an answer, partition by partition, each up to its first error. */
async function readAll(body: Buffer): Promise<Found> {
  const values: string[] = [];
  let code: string | null = null;
  try {
    const { responses } = await decodeFetchBody(body);
    for (const fetched of responses.flatMap(({ partitions }) => partitions)) {
      try {
        for (const { records } of recordBatches(fetched, 0n)) {
          for (const { value, headers } of records) {
            if (headers.length > 1_000_000) throw new Error('More headers than bytes');
            values.push(value?.toString() ?? '');
          }
        }
      } catch (error) {
        code = codeOf(error);
      }
    }
  } catch (error) {
    code = codeOf(error);
  }
  return { values, code };
}

function codeOf(error: unknown): string {
  const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : `without a code: ${String(error)}`;
}

async function errorOf(set: Buffer): Promise<unknown> {
  const { responses } = await decodeFetchBody(fetchAnswer({ users: [{ partition: 3, set }] }));
  const [fetched] = responses.flatMap(({ partitions }) => partitions);
  if (fetched === undefined) throw new Error('No partition');
  try {
    toRecordBatch(fetched, 0n);
    return null;
  } catch (error) {
    return error;
  }
}

/** A header as records have them, so that headers are among what is damaged. */
const HEADERS = [
  { key: 'ce_id', value: Buffer.from('1') },
  { key: 'empty', value: null },
];

function answer(): { body: Buffer; wholeAt: readonly number[] } {
  const sets = [0, 1].map((at) =>
    [0n, 3n, 6n].map((offset) =>
      batchOf(
        offset,
        ['a', 'b', 'c'].map((name) => `${at}${name}${offset}`),
        {
          records: ['a', 'b', 'c'].map((name, offsetDelta) =>
            record(`${at}${name}${offset}`, { offsetDelta, headers: HEADERS }),
          ),
        },
      ),
    ),
  );
  const body = fetchAnswer({
    users: sets.map((batches, partition) => ({ partition, set: Buffer.concat(batches) })),
  });
  const wholeAt = sets.flat().map((batch) => body.indexOf(batch) + batch.length);
  return { body, wholeAt };
}

describe('an answer that is cut off', () => {
  test('gives every batch that is whole, wherever it is cut, and else the error with a name', async () => {
    const { body, wholeAt } = answer();
    const all = (await readAll(body)).values;
    expect(all).toHaveLength(18);
    for (let length = 0; length < body.length; length += 1) {
      const whole = wholeAt.filter((end) => end <= length).length;
      const { values, code } = await readAll(body.subarray(0, length));
      expect({ length, values }).toEqual({ length, values: all.slice(0, 3 * whole) });
      if (whole === 0) expect({ length, code }).toEqual({ length, code: 'LOG_CORRUPT' });
      else expect([null, ...NAMED]).toContain(code);
    }
  });

  test('by the size asked for ends with the last batch that is whole', async () => {
    const batches = [0n, 2n, 4n].map((offset) => batchOf(offset, [`${offset}`, `${offset + 1n}`]));
    const set = Buffer.concat(batches);
    const whole = batches.slice(0, 2).reduce((sum, batch) => sum + batch.length, 0);
    for (let length = whole; length < set.length; length += 1) {
      const body = fetchAnswer({ users: [{ partition: 0, set: set.subarray(0, length) }] });
      expect(await readAll(body)).toEqual({ values: ['0', '1', '2', '3'], code: null });
    }
  });

  test('within its first batch is no answer that could be asked for again', async () => {
    const set = batchOf(5n, ['a']);
    expect(await errorOf(set.subarray(0, set.length - 1))).toMatchObject({
      code: 'LOG_CORRUPT',
      facts: { topic: 'users', partition: 3, offset: 5n },
    });
  });
});

describe('bytes that are damaged', () => {
  test(
    'never hang or throw anything without a name, with CRCs that are right too',
    async () => {
      const { body } = answer();
      const change = fc.record({ at: fc.nat(body.length - 1), byte: fc.nat(255) });
      await fc.assert(
        fc.asyncProperty(
          fc.array(change, { minLength: 1, maxLength: 6 }),
          fc.boolean(),
          async (changes, mended) => {
            const damaged = Buffer.from(body);
            for (const { at, byte } of changes) damaged[at] = byte;
            if (mended) mendCrcs(damaged);
            const { code } = await readAll(damaged);
            expect([null, ...NAMED]).toContain(code);
          },
        ),
        { numRuns: FUZZ_RUNS },
      );
    },
    FUZZ_MS,
  );

  test(
    'that are no answer at all are told as that',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (random) => {
          expect([null, ...NAMED]).toContain((await readAll(Buffer.from(random))).code);
        }),
        { numRuns: FUZZ_RUNS },
      );
    },
    FUZZ_MS,
  );

  test('of one batch are told with its place, after what is before it was delivered', async () => {
    const good = batchOf(0n, ['good']);
    const bad = batchOf(1n, ['bad']);
    bad[bad.length - 1] = (bad.at(-1) ?? 0) ^ 1;
    const body = fetchAnswer({
      users: [{ partition: 0, set: Buffer.concat([good, bad, batchOf(2n, ['c'])]) }],
    });
    expect(await readAll(body)).toEqual({ values: ['good'], code: 'LOG_CORRUPT' });
    const error = await errorOf(bad);
    expect(error).toMatchObject({ code: 'LOG_CORRUPT', facts: { topic: 'users', partition: 3, offset: 1n } });
    expect(String(error)).toContain('users[3]@1 cannot be read: its CRC does not match');
  });

  test('of one record take nothing of its batch, and leave those before it', async () => {
    const broken = [record('x'), record('y', { offsetDelta: 1 })];
    const bytes = recordBytes(broken).subarray(0, -1);
    const bad = batchOf(1n, [], { lastOffsetDelta: 1, records: broken, bytes });
    const body = fetchAnswer({ users: [{ partition: 0, set: Buffer.concat([batchOf(0n, ['good']), bad]) }] });
    expect(await readAll(body)).toEqual({ values: ['good'], code: 'LOG_CORRUPT' });
  });
});

describe('a batch', () => {
  test.each([0, 1])('of message format %i is told as too old', async (magic) => {
    expect(await errorOf(batchOf(9n, ['a'], { magic }))).toMatchObject({
      code: 'LOG_FORMAT_OLD',
      facts: { offset: 9n },
    });
  });

  test.each([
    ['of a format to come', batchOf(0n, ['a'], { magic: 3 })],
    ['with a compression that is none', batchOf(0n, ['a'], { compression: 5 })],
    ['that does not decompress', batchOf(0n, ['a'], { compression: 1 })],
    ['with more bytes than records', batchOf(0n, ['a', 'b'], { recordCount: 1 })],
    ['with fewer bytes than records', batchOf(0n, ['a', 'b'], { recordCount: 3 })],
    ['with a negative number of records', batchOf(0n, ['a'], { recordCount: -1 })],
    ['with an offset behind its range', batchOf(0n, ['a', 'b'], { lastOffsetDelta: 0 })],
    ['with a range that ends before it begins', batchOf(0n, ['a'], { lastOffsetDelta: -1 })],
    ['with one offset twice', batchOf(0n, [], { lastOffsetDelta: 2, records: [record('a'), record('b')] })],
  ])('%s is corrupt', async (_, set) => {
    expect(await errorOf(set)).toMatchObject({ code: 'LOG_CORRUPT' });
  });

  test('of a marker without a type is corrupt where it matters', async () => {
    const marker = markerOf(0n, 1n, 'abort');
    const short = batchBytes({
      ...{ baseOffset: 0n, lastOffsetDelta: 0, baseTimestamp: 0n, maxTimestamp: 0n, isLogAppendTime: false },
      ...{ isTransactional: true, isControl: true, producerId: 1n },
      records: [record('', { key: Buffer.alloc(2) })],
    });
    const aborted = [{ producerId: 1n, firstOffset: 0n }];
    const read = async (set: Buffer) => readAll(fetchAnswer({ users: [{ partition: 0, aborted, set }] }));
    expect(await read(marker)).toEqual({ values: [], code: null });
    expect(await read(short)).toEqual({ values: [], code: 'LOG_CORRUPT' });
  });
});

/** Makes the CRC of each batch that can still be found right, so that what it guards is reached. */
function mendCrcs(body: Buffer): void {
  for (let at = body.indexOf(Buffer.from([0xff, 0xff, 0xff, 0xff, 2])); at !== -1;) {
    const start = at - 12;
    const size = start < 0 ? 0 : 12 + body.readInt32BE(start + 8);
    const end = Math.min(body.length, start + Math.max(size, 21));
    if (start >= 0 && start + 21 <= body.length)
      body.writeUInt32BE(crc32c(body, start + 21, end), start + 17);
    at = body.indexOf(Buffer.from([0xff, 0xff, 0xff, 0xff, 2]), at + 1);
  }
}
