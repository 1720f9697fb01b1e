import { describe, expect, test } from '@jest/globals';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { createPostgresEventLog } from '../../src/log/postgres/event-log.ts';
import { readBinding } from '../../src/postgres/sql/read-binding.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { describeKafka, kafkaBrokers } from '../support/describe-kafka.ts';
import { useInitHarness } from '../support/init-harness.ts';
import { uniqueName } from '../support/names.ts';

const { database, init, query } = useInitHarness();

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
