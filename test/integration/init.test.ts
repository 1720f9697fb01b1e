import { afterEach, describe, expect, test } from '@jest/globals';
import { initialise, type InitRequest, type InitResult } from '../../src/app/init.ts';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { createPostgresEventLog } from '../../src/log/postgres/event-log.ts';
import { migrateLedger } from '../../src/postgres/migrate.ts';
import { readBinding } from '../../src/postgres/sql/read-binding.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { describeKafka, kafkaBrokers } from '../support/describe-kafka.ts';
import { uniqueName } from '../support/names.ts';
import { useTestDatabase } from '../support/test-database.ts';

const database = useTestDatabase();

const NOTHING_SAID: InitRequest = {
  rules: null,
  partitions: 4,
  table: null,
  keyColumn: null,
  extraColumn: null,
  createdColumn: null,
  updatedColumn: null,
  deadLetters: null,
  topic: 'user-events',
};

function postgresLog(topic = 'user-events'): EventLog {
  return createPostgresEventLog({ connectionString: database().connectionString, topic, patience: 'short' });
}

async function init(
  schema: string,
  request: Partial<InitRequest> = {},
  openLog = postgresLog,
): Promise<InitResult> {
  const { connectionString } = database();
  const log = openLog();
  try {
    return await initialise(
      {
        database: { ...database(), schema },
        log,
        migrateLedger: () => migrateLedger({ connectionString, schema }),
      },
      { ...NOTHING_SAID, ...request },
    );
  } finally {
    await log.close();
  }
}

async function query(text: string): Promise<Record<string, unknown>[]> {
  const { rows } = await database().pool.query<Record<string, unknown>>(text);
  return rows;
}

afterEach(async () => {
  await query(
    'drop schema if exists app cascade; drop table if exists public.users; drop schema if exists fresh cascade',
  );
});

describe('on an empty database', () => {
  test('makes the ledger, public.users and the topic, and says so', async () => {
    const result = await init('fresh');
    expect(result).toMatchObject({
      schema: 'fresh',
      table: 'public.users',
      tableCreated: true,
      keyColumn: 'user_id',
      columns: ['name', 'email', 'attributes'],
      extraColumn: 'attributes',
      createdColumn: 'created_at',
      updatedColumn: 'updated_at',
      rules: 'strict',
      topic: 'user-events',
      partitions: 4,
    });
    expect(result.migrations).toContain('000001_ledger');
    expect(await readBinding(database().pool, 'fresh')).toMatchObject({
      rules: 'strict',
      usersSchema: 'public',
      usersTable: 'users',
      keyColumn: 'user_id',
      extraColumn: 'attributes',
      createdColumn: 'created_at',
      updatedColumn: 'updated_at',
      generation: 0,
      topic: null,
    });
  });

  test('is safe to repeat', async () => {
    const first = await init('fresh', { rules: 'lenient' });
    const before = await readBinding(database().pool, 'fresh');
    const second = await init('fresh');
    expect(second).toEqual({ ...first, migrations: [], tableCreated: false, topicCreated: false });
    expect(await readBinding(database().pool, 'fresh')).toEqual(before);
  });

  test('is safe to run twice at once', async () => {
    const results = await Promise.all([init('fresh'), init('fresh')]);
    expect(results.map(({ tableCreated }) => tableCreated).sort()).toEqual([false, true]);
  });

  test('leaves no table and no binding behind where the log cannot be set up', async () => {
    const unreachable = (): EventLog =>
      createPostgresEventLog({
        connectionString: 'postgres://127.0.0.1:1/none',
        topic: 'user-events',
        patience: 'short',
      });
    const startedAt = performance.now();
    await expect(init('fresh', {}, unreachable)).rejects.toMatchObject({
      code: expect.stringMatching(/^(LOG|DATABASE)_UNREACHABLE$/),
    });
    expect(performance.now() - startedAt).toBeLessThan(2000);
    expect(await query("select to_regclass('public.users') as users")).toEqual([{ users: null }]);
    expect(await query('select * from fresh.binding')).toEqual([]);
  });

  test('takes up public.users again where the ledger was dropped', async () => {
    await init('fresh');
    await query('drop schema fresh cascade');
    expect(await init('fresh')).toMatchObject({
      tableCreated: false,
      extraColumn: 'attributes',
      createdColumn: 'created_at',
      updatedColumn: 'updated_at',
    });
  });
});

describe('on a table of the service’s own', () => {
  const TABLE = `create schema app;
    create table app.members (id int primary key, full_name text not null, doc jsonb, born timestamptz)`;

  test('finds its primary key, and alters nothing', async () => {
    await query(TABLE);
    const result = await init('fresh', { table: { schema: 'app', name: 'members' } });
    expect(result).toMatchObject({
      table: 'app.members',
      tableCreated: false,
      keyColumn: 'id',
      columns: ['full_name', 'doc', 'born'],
      extraColumn: null,
      createdColumn: null,
    });
    expect(
      await query("select attname from pg_attribute where attrelid = 'app.members'::regclass and attnum > 0"),
    ).toEqual(['id', 'full_name', 'doc', 'born'].map((attname) => ({ attname })));
  });

  test('takes the columns that it is told of', async () => {
    await query(TABLE);
    const table = { schema: 'app', name: 'members' };
    expect(await init('fresh', { table, extraColumn: 'doc', createdColumn: 'born' })).toMatchObject({
      extraColumn: 'doc',
      createdColumn: 'born',
      columns: ['full_name', 'doc'],
    });
  });

  test('prefers user_id to the primary key', async () => {
    await query('create table public.users (n int primary key, user_id uuid unique)');
    expect(await init('fresh')).toMatchObject({
      table: 'public.users',
      tableCreated: false,
      keyColumn: 'user_id',
    });
  });

  test('that is named and not there is USERS_TABLE_INVALID: nothing is made in its place', async () => {
    await expect(init('fresh', { table: { schema: 'app', name: 'memebrs' } })).rejects.toMatchObject({
      code: 'USERS_TABLE_INVALID',
      message: 'There is no table app.memebrs',
    });
    await expect(init('fresh', { keyColumn: 'id' })).rejects.toMatchObject({ code: 'USERS_TABLE_INVALID' });
    expect(await query("select to_regclass('public.users') as users")).toEqual([{ users: null }]);
  });

  test('without a key that can be found is USERS_TABLE_INVALID', async () => {
    await query('create schema app; create table app.members (a int, b int, primary key (a, b))');
    await expect(init('fresh', { table: { schema: 'app', name: 'members' } })).rejects.toMatchObject({
      code: 'USERS_TABLE_INVALID',
      hint: 'Name its key with --key-column: a, b.',
    });
  });
});

describe('a schema that is set up', () => {
  test.each([
    [{ rules: 'lenient' as const }, 'with rules strict, not lenient'],
    [{ table: { schema: 'app', name: 'users' } }, 'with schema of the table public, not app'],
    [{ table: { schema: 'public', name: 'members' } }, 'with table users, not members'],
    [{ keyColumn: 'id' }, 'with key column user_id, not id'],
    [{ extraColumn: 'more' }, 'with extra column attributes, not more'],
    [{ createdColumn: 'born' }, 'with created column created_at, not born'],
  ])('and was consumed into is BINDING_MISMATCH for %j', async (request, message) => {
    await init('fresh');
    await query('update fresh.binding set bound_at = now()');
    await expect(init('fresh', request)).rejects.toMatchObject({
      code: 'BINDING_MISMATCH',
      message: `The schema fresh is set up ${message}`,
    });
  });

  test('is corrected as long as nothing was consumed: by what is said, the rest stays or is chosen anew', async () => {
    await query(
      'create schema app; create table app.members (id int8 primary key, name text, born timestamptz)',
    );
    await init('fresh');
    expect(await init('fresh', { rules: 'lenient' })).toMatchObject({
      isChanged: true,
      table: 'public.users',
      rules: 'lenient',
      extraColumn: 'attributes',
    });
    expect(
      await init('fresh', { table: { schema: 'app', name: 'members' }, createdColumn: 'born' }),
    ).toMatchObject({
      isChanged: true,
      table: 'app.members',
      keyColumn: 'id',
      rules: 'lenient',
      extraColumn: null,
    });
    expect(await readBinding(database().pool, 'fresh')).toMatchObject({
      usersSchema: 'app',
      usersTable: 'members',
      keyColumn: 'id',
      extraColumn: null,
      createdColumn: 'born',
      updatedColumn: null,
    });
    expect(await init('fresh')).toMatchObject({ isChanged: false, table: 'app.members' });
    await expect(init('fresh', { extraColumn: 'name' })).rejects.toMatchObject({
      code: 'USERS_TABLE_INVALID',
    });
    expect(await init('fresh')).toMatchObject({ extraColumn: null });
  });

  test('and consumes from a topic is BINDING_MISMATCH for another one', async () => {
    await init('fresh');
    await query("update fresh.binding set topic = 'orders', bound_at = now()");
    await expect(init('fresh')).rejects.toMatchObject({ code: 'BINDING_MISMATCH' });
    await expect(init('fresh', { topic: 'orders' }, () => postgresLog('orders'))).resolves.toMatchObject({
      topic: 'orders',
    });
  });

  test('accepts what it was set up with, said again', async () => {
    const said = {
      rules: 'strict',
      table: { schema: 'public', name: 'users' },
      keyColumn: 'user_id',
      extraColumn: 'attributes',
    } as const;
    await init('fresh');
    await expect(init('fresh', said)).resolves.toMatchObject({ tableCreated: false });
  });
});

describeKafka('on Kafka', () => {
  test('makes the topic with the partitions asked for, and keeps one that is there', async () => {
    const topic = uniqueName('init');
    const openLog = (): EventLog =>
      createKafkaEventLog({ brokers: [kafkaBrokers()], clientId: 'test', topic, patience: 'short' });
    const request = { topic, partitions: 3 };
    expect(await init('fresh', request, openLog)).toMatchObject({ topic, topicCreated: true, partitions: 3 });
    expect(await init('fresh', { ...request, partitions: 6 }, openLog)).toMatchObject({
      topicCreated: false,
      partitions: 3,
    });
  });
});
