import { expect, test } from '@jest/globals';
import { Readable } from 'node:stream';
import { createNdjson } from '../../src/app/log/printed.ts';
import { publishInput } from '../../src/app/publish/publish-input.ts';
import { createUuidV7 } from '../../src/cli/uuid-v7.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { partitionFor } from '../../src/domain/partitioner.ts';
import type { NewRecord } from '../../src/domain/record.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { openApplier, prepareUsers } from '../support/apply-harness.ts';
import { contentOf, describeEachLog, readAllRecords } from '../support/each-log.ts';
import { entriesOf, eventRecord, idOf, numbersOf, pagesOf } from '../support/log-harness.ts';
import { failureOf, publisherOf, requestOf } from '../support/publish-harness.ts';
import { waitFor } from '../support/wait-for.ts';

const upTo = (last: number, from = 1): number[] =>
  Array.from({ length: last - from + 1 }, (_, at) => from + at);

/** Records 1 to `count` of 7 users, in turn. */
async function fill(log: EventLog, count: number): Promise<void> {
  await log.append(upTo(count).map((n) => eventRecord(n, `u${String(n % 7)}`)));
}

describeEachLog('log', (logs) => {
  test('shows the newest of all partitions by time, 20 of them unless told', async () => {
    const log = await logs.open(4);
    expect(await numbersOf(log)).toEqual([]);
    await fill(log, 100);
    expect(await numbersOf(log)).toEqual(upTo(100, 81));
    expect(await numbersOf(log, { limit: 3 })).toEqual([98, 99, 100]);
    expect(await numbersOf(log, { limit: 1000 })).toEqual(upTo(100));
  });

  test('-o -N is the newest N of the whole topic, filters pick from them', async () => {
    const log = await logs.open(4);
    await fill(log, 100);
    expect(await numbersOf(log, { o: '-25' })).toEqual(upTo(100, 76));
    expect(await numbersOf(log, { o: '-25', limit: 2 })).toEqual([76, 77]);
    expect(await numbersOf(log, { o: '-25', filter: { operations: new Set(['update']) } })).toEqual([
      80, 90, 100,
    ]);
    expect(await numbersOf(log, { o: '-500', isMerged: true })).toEqual(upTo(100));
  });

  test('without offsets a filter finds the newest that match, however far back', async () => {
    const log = await logs.open(3);
    await fill(log, 3000);
    const filter = { pattern: /"n":(7|77|777)\}/u };
    expect(await numbersOf(log, { filter })).toEqual([7, 77, 777]);
    expect(await numbersOf(log, { filter, limit: 2 })).toEqual([77, 777]);
  });

  test('keeps of what it reads no more than the few records that are wanted', async () => {
    const log = await logs.open(1);
    await fill(log, 3000);
    for (const asked of [{ o: 'start' }, { o: 'start', isMerged: false }, {}]) {
      const entries = await entriesOf(log, { ...asked, filter: { pattern: /"n":(7|77|777)\}/u } });
      const kept = entries.flatMap(({ record, event }) => [
        ...[record.key, record.value, 'value' in event ? event.value : null],
        ...record.headers.map((header) => header.value),
      ]);
      expect(kept).toHaveLength(3 * 7);
      // Small buffers share a pool of their own; the answers of a log are far larger.
      for (const bytes of kept) expect(bytes?.buffer.byteLength ?? 0).toBeLessThanOrEqual(Buffer.poolSize);
    }
  });

  test('merges partitions by time and never turns the order of one around', async () => {
    const log = await logs.open(2);
    const at = (n: number, partition: number, timestamp: number): NewRecord =>
      eventRecord(n, 'u', { partition, timestamp });
    await log.append([at(1, 0, 10), at(2, 1, 5), at(3, 0, 30), at(4, 1, 20), at(5, 0, 15), at(6, 1, 40)]);
    expect(await numbersOf(log, { o: 'start' })).toEqual([2, 1, 4, 3, 5, 6]);
    expect(await numbersOf(log, { o: 'start', isMerged: false, limit: 100 })).toHaveLength(6);
  });

  test('reads a page after the other of a long log, whole and in order', async () => {
    const log = await logs.open(3);
    await fill(log, 5000);
    expect(await numbersOf(log, { o: 'start' })).toEqual(upTo(5000));
    const streamed = await numbersOf(log, { isAll: true, isMerged: false });
    expect(streamed.toSorted((a, b) => a - b)).toEqual(upTo(5000));
  });

  test('reads ranges of offsets and of times, and single partitions', async () => {
    const log = await logs.open(2);
    await log.append(upTo(20).map((n) => eventRecord(n, 'u', { partition: n % 2 })));
    expect(await numbersOf(log, { o: '2:4' })).toEqual([5, 6, 7, 8]);
    expect(await numbersOf(log, { o: '-2', partitions: [1, 0] })).toEqual([17, 18, 19, 20]);
    expect(await numbersOf(log, { o: '8', partitions: [1] })).toEqual([17, 19]);
    expect(await numbersOf(log, { o: '@1970-01-01T00:16:40.005Z:1970-01-01T00:16:40.009Z' })).toEqual([
      5, 6, 7, 8,
    ]);
    expect(await numbersOf(log, { o: 'end' })).toEqual([]);
    expect((await failureOf(entriesOf(log, { partitions: [2] }))).message).toContain('no partition 2');
    expect((await failureOf(entriesOf(log, { o: '99' }))).code).toBe('OFFSET_OUT_OF_RANGE');
  });

  test('reads a user from the user’s own partition alone', async () => {
    const log = await logs.open(4);
    await fill(log, 400);
    const partition = partitionFor(Buffer.from('u3'), 4);
    const there = (await readAllRecords(log)).filter((record) => record.partition === partition).length;
    let read = 0;
    const onRead = (records: number): void => void (read += records);
    const numbers = await numbersOf(log, { o: 'start', filter: { userId: 'u3' }, onRead });
    expect(numbers).toEqual(upTo(400).filter((n) => n % 7 === 3));
    expect(read).toBe(there);
  });

  test('finds one event by searching, and says so where there is none', async () => {
    const log = await logs.open(3);
    await fill(log, 200);
    expect(await numbersOf(log, { filter: { eventId: idOf(123) } })).toEqual([123]);
    expect(await numbersOf(log, { filter: { eventId: idOf(123).toUpperCase() } })).toEqual([123]);
    const error = await failureOf(entriesOf(log, { filter: { eventId: idOf(999) } }));
    expect(error).toMatchObject({ code: 'EVENT_NOT_FOUND', exitCode: 5 });
  });

  test('searches first where the time in an id says, then all that is older', async () => {
    const log = await logs.open(2);
    await fill(log, 200);
    const eventId = createUuidV7(Date.now)();
    const headers = eventRecord(201, 'u1').headers.map(({ key, value }) => ({
      key,
      value: key === 'ce_id' ? Buffer.from(eventId) : value,
    }));
    await log.append([eventRecord(201, 'u1', { headers, timestamp: Date.now() })]);
    let read = 0;
    const onRead = (records: number): void => void (read += records);
    expect(await entriesOf(log, { filter: { eventId }, onRead })).toHaveLength(1);
    expect(read).toBe(1);
  });

  test('follows without a gap and without repeating, until it is told to stop', async () => {
    const log = await logs.open(3);
    await fill(log, 50);
    const stop = new AbortController();
    const seen: number[] = [];
    const reading = (async () => {
      for await (const page of pagesOf(log, { follow: true, o: 'start', signal: stop.signal })) {
        seen.push(...page.map(({ event }) => Number(event.eventId.slice(-12))));
      }
    })();
    for (let n = 51; n <= 90; n += 1) await log.append([eventRecord(n, `u${String(n % 7)}`)]);
    await waitFor(() => seen.length >= 90, { describe: () => `90 events; there are ${String(seen.length)}` });
    stop.abort();
    await reading;
    expect(seen.toSorted((a, b) => a - b)).toEqual(upTo(90));
  });

  test('follows on from the newest, and ends at its limit', async () => {
    const log = await logs.open(2);
    await fill(log, 50);
    const numbers: number[] = [];
    for await (const page of pagesOf(log, { follow: true, limit: 22 })) {
      if (numbers.length === 0) await log.append([eventRecord(51, 'u1'), eventRecord(52, 'u1')]);
      numbers.push(...page.map(({ event }) => Number(event.eventId.slice(-12))));
    }
    expect(numbers.slice(0, 20)).toEqual(upTo(50, 31));
    expect(numbers.slice(20)).toEqual([51, 52]);
  });

  test('says what this service’s ledger says, and pending for the rest', async () => {
    const log = await logs.open(1);
    const db = logs.database();
    await db.pool.query(`truncate ${db.schema}.ledger, ${db.schema}.position`);
    await prepareUsers(db);
    await db.pool.query('truncate public.users');
    await log.append([1, 2, 12, 3].map((n) => eventRecord(n, n === 12 ? 'u2' : `u${String(n)}`)));
    const decided = await entriesOf(log, { limit: 4 });
    await (
      await openApplier(db)
    ).apply(
      decided.slice(0, 3).map(({ event }) => event),
      3n,
    );
    const statusesOf = async (asked: Parameters<typeof entriesOf>[1]) =>
      (await entriesOf(log, asked)).map(({ event, status }) => [Number(event.eventId.slice(-12)), status]);
    const all = [
      [1, 'applied'],
      [2, 'applied'],
      [12, 'failed'],
      [3, 'pending'],
    ];
    for (const isMerged of [true, false]) expect(await statusesOf({ db, o: 'start', isMerged })).toEqual(all);
    expect(await statusesOf({ db })).toEqual(all);
    expect(await statusesOf({ db, statuses: new Set(['failed', 'pending']) })).toEqual(all.slice(2));
    expect(await statusesOf({ db, statuses: new Set(['applied']), limit: 1 })).toEqual([[2, 'applied']]);
    expect(await statusesOf({ o: 'start' })).toEqual(all.map(([n]) => [n, undefined]));

    // The ledger knows where it is: nothing else is read.
    let read = 0;
    const onRead = (records: number): void => void (read += records);
    expect(await statusesOf({ db, filter: { eventId: idOf(12) }, onRead })).toEqual([[12, 'failed']]);
    expect(read).toBe(1);
  });

  test('does without statuses where the database is away, unless they are asked for', async () => {
    const log = await logs.open(1);
    await fill(log, 3);
    const pool = createPool({ connectionString: 'postgres://127.0.0.1:1/nothing' });
    const db = { pool, schema: 'user_events', address: '127.0.0.1:1/nothing' };
    const entries = await entriesOf(log, { db });
    expect(entries.map(({ status }) => status)).toEqual([undefined, undefined, undefined]);
    await expect(entriesOf(log, { db, statuses: new Set(['pending']) })).rejects.toThrow();
    await pool.end();
  });

  test('prints NDJSON that publish takes back byte for byte, whatever the records are', async () => {
    const [from, to] = [await logs.open(1), await logs.open(1)];
    const bytes = Buffer.from([0xff, 0x00, 0x80]);
    const user = (value: string, more: Partial<NewRecord> = {}): NewRecord => ({
      key: Buffer.from('zoë 🙂'),
      value: Buffer.from(value),
      headers: [],
      timestamp: 1_700_000_000_000,
      ...more,
    });
    const readable = [
      eventRecord(1, 'u1'),
      user('{"userId": "zoë 🙂", "rate": 1.0, "b": 1, "1": 2}'),
      user(JSON.stringify({ userId: 'zoë 🙂', name: '\u2028"\\' }, null, 2)),
      user('{"userId":"x"}', { key: null }),
      user('', { value: null, key: Buffer.from('gone') }),
      user('{"userId":"zoë 🙂"}', {
        headers: [
          { key: 'again', value: Buffer.from('1') },
          { key: 'again', value: null },
          { key: '', value: Buffer.from('') },
          { key: 'bytes', value: bytes },
        ],
      }),
    ];
    await from.append(readable);
    const pages: Buffer[] = [];
    const print = createNdjson('x');
    for await (const page of pagesOf(from, { isAll: true, isMerged: false })) pages.push(print(page));
    const input = Readable.from(pages);
    const summary = await publishInput(await publisherOf(to), requestOf('', { from: input }));
    expect(summary.sent).toBe(readable.length);
    expect((await readAllRecords(to)).map(contentOf)).toEqual(readable.map(contentOf));
  });
});
