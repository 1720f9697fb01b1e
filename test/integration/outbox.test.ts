import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import pg from 'pg';

import { partitionFor } from '../../src/domain/partitioner.ts';
import type { LogRecord } from '../../src/domain/record.ts';
import { writeEnvelope } from '../../src/domain/write-envelope.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createPostgresEventLog } from '../../src/log/postgres/event-log.ts';
import { uniqueName } from '../support/names.ts';
import { useTestDatabase } from '../support/test-database.ts';
import { waitFor } from '../support/wait-for.ts';

let log: EventLog;
// Before the database's own hook drops it.
afterAll(async () => {
  await log.close();
});
const database = useTestDatabase();
const schema = 'user_events_log';
const topic = 'users';
const PARTITIONS = 4;

beforeAll(async () => {
  log = createPostgresEventLog({ connectionString: database().connectionString, topic, patience: 'short' });
  await log.createTopic(PARTITIONS);
});

/** A service's own connection, as any client library makes it. */
async function asService<T>(
  work: (client: pg.Client) => Promise<T>,
  url = database().connectionString,
): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function appendEvent(client: pg.Client, ...values: unknown[]): Promise<string> {
  const places = values.map((_, index) => `$${index + 1}`).join(', ');
  const { rows } = await client.query<{ id: string }>(
    `select ${schema}.append_event(${places}) as id`,
    values,
  );
  return rows[0]?.id ?? '';
}

async function everything(): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  const ranges = (await log.watermarks()).map(({ partition, low }) => ({ partition, from: low }));
  for await (const batch of log.read(ranges)) records.push(...batch.records);
  return records;
}

async function recordsOf(userId: string): Promise<LogRecord[]> {
  return (await everything()).filter(({ key }) => key?.toString() === userId);
}

describe('append_event', () => {
  test('writes the record that user-events itself writes', async () => {
    const eventId = '0190d0c6-0000-7000-8000-000000000001';
    const fields = { name: 'Ada "the first"', tags: ['ä', null], score: 1.5 };
    await asService((client) =>
      appendEvent(client, topic, 'ünï-1', 'create', JSON.stringify(fields), eventId, '/billing'),
    );
    const [record] = await recordsOf('ünï-1');
    const event = { kind: 'cud', operation: 'create', eventId, userId: 'ünï-1', fields } as const;
    const written = writeEnvelope(event, '/billing');
    expect(record?.headers).toEqual(written.headers);
    expect(JSON.parse(String(record?.value))).toEqual(JSON.parse(String(written.value)));
    expect(String(record?.value)).toMatch(/^\{"userId":"ünï-1",/);
    expect(record?.partition).toBe(partitionFor(Buffer.from('ünï-1'), PARTITIONS));
    expect(Math.abs(Date.now() - (record?.timestamp ?? 0))).toBeLessThan(60_000);
  });

  test('makes a new id, names the database as the source, and leaves the data out of a delete', async () => {
    const id = await asService((client) =>
      appendEvent(client, topic, 'u-delete', 'delete', '{"name": "Ada"}'),
    );
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const [record] = await recordsOf('u-delete');
    expect(String(record?.value)).toBe('{"userId":"u-delete"}');
    expect(record?.headers.map(({ key, value }) => [key, String(value)])).toEqual([
      ['ce_specversion', '1.0'],
      ['ce_id', id],
      ['ce_type', 'user.deleted'],
      ['ce_source', `/user-events/${database().name}`],
    ]);
  });

  test('takes a userId inside the data from the key instead', async () => {
    await asService((client) =>
      appendEvent(client, topic, 'u-twice', 'put', '{"userId": "other", "name": "Ada"}'),
    );
    const [record] = await recordsOf('u-twice');
    expect(JSON.parse(String(record?.value))).toEqual({ userId: 'u-twice', name: 'Ada' });
  });

  test('commits with the change that it belongs to, or not at all', async () => {
    await asService(async (client) => {
      await client.query('begin');
      await appendEvent(client, topic, 'u-atomic', 'create', '{"n": 1}');
      expect(await recordsOf('u-atomic')).toEqual([]);
      await client.query('savepoint s');
      await appendEvent(client, topic, 'u-atomic', 'update', '{"n": 2}');
      await client.query('rollback to savepoint s');
      await appendEvent(client, topic, 'u-atomic', 'update', '{"n": 3}');
      await client.query('commit');
      await client.query('begin');
      await appendEvent(client, topic, 'u-atomic', 'update', '{"n": 4}');
      await client.query('rollback');
    });
    const records = await recordsOf('u-atomic');
    expect(records.map(({ value }) => String(value))).toEqual([
      '{"userId":"u-atomic","n": 1}',
      '{"userId":"u-atomic","n": 3}',
    ]);
  });

  test('holds up nobody while its transaction is open, and orders events by their commits', async () => {
    await asService(async (slow) => {
      await slow.query('begin');
      await appendEvent(slow, topic, 'u-order', 'create', '{"from": "slow"}');
      await asService((quick) => appendEvent(quick, topic, 'u-order', 'put', '{"from": "quick"}'));
      expect(await recordsOf('u-order')).toHaveLength(1);
      await slow.query('commit');
    });
    const records = await recordsOf('u-order');
    expect(records.map(({ value }) => String(value))).toEqual([
      '{"userId":"u-order","from": "quick"}',
      '{"userId":"u-order","from": "slow"}',
    ]);
  });

  test('never deadlocks, whatever the order of users in concurrent transactions, and leaves no gap', async () => {
    const users = ['a', 'b', 'c', 'd', 'e', 'f'];
    const before = await log.watermarks();
    await Promise.all(
      Array.from({ length: 8 }, (_, worker) =>
        asService(async (client) => {
          for (let round = 0; round < 10; round++) {
            const order = worker % 2 === 0 ? users : users.toReversed();
            await client.query('begin');
            for (const user of order) await appendEvent(client, topic, user, 'put', '{}');
            await client.query(round % 3 === 0 ? 'rollback' : 'commit');
          }
        }),
      ),
    );
    const after = await log.watermarks();
    const appended = after.reduce((sum, { high }, at) => sum + Number(high - (before[at]?.high ?? 0n)), 0);
    expect(appended).toBe(8 * 6 * users.length);
    const records = await everything();
    for (const { partition, low, high } of after) {
      const offsets = records.filter((record) => record.partition === partition).map(({ offset }) => offset);
      expect(offsets).toEqual(Array.from({ length: Number(high - low) }, (_, at) => low + BigInt(at)));
    }
  });

  test('refuses what no consumer could read, by SQLSTATE', async () => {
    await asService(async (client) => {
      for (const [sqlState, ...values] of [
        ['42704', 'no-such-topic', 'u', 'create', '{}'],
        ['22023', topic, 'u', 'rollback', '{}'],
        ['22023', topic, 'u', null, '{}'],
        ['22023', topic, '', 'create', '{}'],
        ['22023', topic, 'x'.repeat(1025), 'create', '{}'],
        ['22023', topic, null, 'create', '{}'],
        ['22023', topic, 'u', 'create', '[]'],
        ['22023', topic, 'u', 'create', '{}', null, ''],
        ['54000', topic, 'u', 'create', JSON.stringify({ long: 'x'.repeat(1_000_001) })],
      ]) {
        await expect(appendEvent(client, ...values)).rejects.toMatchObject({ code: sqlState });
      }
    });
  });

  test('needs no right but the use of the schema and of the function', async () => {
    const role = uniqueName('service');
    const { pool, connectionString } = database();
    await pool.query(
      `create role ${role} login password 'secret'; grant usage on schema ${schema} to ${role}`,
    );
    const url = new URL(connectionString);
    url.username = role;
    url.password = 'secret';
    try {
      await asService(async (client) => {
        // A table of the caller's own under one of the log's names is not taken for the log's.
        await client.query('create temp table topic (topic text, topic_id int, partition_count int)');
        await client.query(`insert into pg_temp.topic values ('users', 99, 1)`);
        await expect(appendEvent(client, topic, 'u-role', 'create')).rejects.toMatchObject({ code: '42501' });
        await pool.query(`grant execute on function ${schema}.append_event to ${role}`);
        await appendEvent(client, topic, 'u-role', 'create', '{"n": 1}');
        await expect(client.query(`select from ${schema}.record`)).rejects.toMatchObject({ code: '42501' });
      }, url.href);
    } finally {
      await pool.query(`drop owned by ${role}; drop role ${role}`);
    }
    expect(await recordsOf('u-role')).toHaveLength(1);
  });

  test('is told to readers that wait at the end, at the commit', async () => {
    const stop = new AbortController();
    const ends = (await log.watermarks()).map(({ partition, high }) => ({ partition, from: high }));
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { records } of log.read(ends, { follow: true, signal: stop.signal })) {
        seen.push(...records.map(({ key }) => String(key)));
      }
    })();
    await asService((client) => appendEvent(client, topic, 'u-told', 'create'));
    await waitFor(() => seen.length > 0, { describe: 'the event to be read' });
    expect(seen).toEqual(['u-told']);
    stop.abort();
    await reading;
  });
});

test('the partitioner in SQL is the Java client’s', async () => {
  const file = new URL('../unit/domain/murmur2-vectors.json', import.meta.url);
  const { vectors } = JSON.parse(await readFile(file, 'utf8')) as {
    vectors: { key: string; hash: number }[];
  };
  const { rows } = await database().pool.query<{ hash: bigint }>(
    `select ${schema}.murmur2(decode(key, 'base64')) as hash from unnest($1::text[]) with ordinality as k (key, at) order by at`,
    [vectors.map(({ key }) => key)],
  );
  expect(rows.map(({ hash }) => Number(BigInt.asIntN(32, hash)))).toEqual(vectors.map(({ hash }) => hash));
});
