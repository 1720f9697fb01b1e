import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { getUser, listUsers, type UsersRequest } from '../../src/app/users.ts';
import { toJson } from '../../src/cli/json.ts';
import { PLAIN_STYLE } from '../../src/cli/theme.ts';
import { renderUser, renderUsers, renderUsersCsv } from '../../src/cli/views/users.ts';
import { writeBinding } from '../../src/postgres/sql/write-binding.ts';
import { createTestDatabase, useTestDatabase, type TestDatabase } from '../support/test-database.ts';

const database = useTestDatabase();

beforeAll(async () => {
  const { pool, schema } = database();
  await pool.query(`create table public.people (
    id int8 primary key, full_name text, age int, tags text[], doc json, place point,
    joined timestamptz not null default '2026-01-02T03:04:05Z', twice int generated always as (age * 2) stored)`);
  await pool.query(`insert into people (id, full_name, age, tags, doc) values
    (9, 'Ada', 36, '{a,b}', '{"n": 12345678901234567890}'),
    (10, E'Bob\\n\\u001b[31m', null, null, null),
    (9007199254740993, '漢字', 36, '{}', '{"n":1}')`);
  await writeBinding(pool, schema, {
    rules: 'strict',
    usersSchema: 'public',
    usersTable: 'people',
    keyColumn: 'id',
    extraColumn: null,
    createdColumn: null,
    updatedColumn: 'joined',
  });
});

async function ids(request: Partial<UsersRequest> = {}): Promise<readonly string[]> {
  const { users } = await listUsers(database(), {
    where: [],
    limit: 100,
    after: null,
    sort: null,
    skip: 0,
    ...request,
  });
  return users.map(({ userId }) => userId);
}

describe('the list of users', () => {
  test('is in the order of the key, as the key’s type has it', async () => {
    expect(await ids()).toEqual(['9', '10', '9007199254740993']);
  });

  test('comes in pages', async () => {
    const first = await listUsers(database(), { where: [], limit: 2, after: null, sort: null, skip: 0 });
    expect(first.next).toEqual({ after: '10' });
    const second = await listUsers(database(), { where: [], limit: 2, after: '10', sort: null, skip: 0 });
    expect(second.users.map(({ userId }) => userId)).toEqual(['9007199254740993']);
    expect(second.next).toBeNull();
  });

  test('comes by a field, NULLs last, in pages that are counted', async () => {
    expect(await ids({ sort: 'fullName:desc' })).toEqual(['9007199254740993', '10', '9']);
    expect(await ids({ sort: 'age' })).toEqual(['9', '9007199254740993', '10']);
    const first = await listUsers(database(), { where: [], limit: 2, after: null, sort: 'age', skip: 0 });
    expect(first.next).toEqual({ skip: 2 });
    expect(await ids({ sort: 'age', skip: 2 })).toEqual(['10']);
    await expect(ids({ sort: 'nme' })).rejects.toMatchObject({ code: 'USAGE' });
    await expect(ids({ sort: 'place' })).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('is printed as CSV that a spreadsheet and COPY read', async () => {
    const list = await listUsers(database(), { where: [], limit: 2, after: null, sort: null, skip: 0 });
    const [title, ada, bob] = renderUsersCsv(list).split(/\n(?=\d|$)/);
    expect(title?.startsWith('id,full_name,age,tags')).toBe(true);
    expect(ada?.startsWith('9,Ada,36,"{a,b}","{""n"": 12345678901234567890}",')).toBe(true);
    expect(bob?.startsWith('10,"Bob\n')).toBe(true);
  });

  test('ends where the last page is full', async () => {
    expect(
      (await listUsers(database(), { where: [], limit: 3, after: null, sort: null, skip: 0 })).next,
    ).toBeNull();
  });

  test.each([
    [['age=36'], ['9', '9007199254740993']],
    [['fullName=Ada'], ['9']],
    [['full_name=Ada', 'age=37'], []],
    [['id=10'], ['10']],
    [['tags={a,b}'], ['9']],
    [['doc={"n": 1}'], ['9007199254740993']],
    [['joined=2026-01-02T03:04:05Z', 'full_name=漢字'], ['9007199254740993']],
    [["full_name='; drop table people; --"], []],
  ])('is filtered by %j', async (where, expected) => {
    expect(await ids({ where })).toEqual(expected);
  });

  test.each([
    ['age=old', 'A value of --where does not fit the type of its column'],
    ['place=(1,2)', 'A column that --where or --sort names has a type that cannot be compared'],
    ['twice=2', 'public.people has no column for --where twice=…'],
    ['nonsense=1', 'public.people has no column for --where nonsense=…'],
    ['age', '--where takes FIELD=VALUE'],
  ])('is USAGE for --where %s', async (condition, message) => {
    await expect(ids({ where: [condition] })).rejects.toMatchObject({ code: 'USAGE', message });
  });

  test('is USAGE for a page behind what is no id', async () => {
    await expect(ids({ after: 'u1' })).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('shows every value as PostgreSQL prints it, control characters visible', async () => {
    const text = renderUsers(
      await listUsers(database(), { where: [], limit: 3, after: null, sort: null, skip: 0 }),
      PLAIN_STYLE,
    );
    expect(text.split('\n')).toEqual([
      expect.stringMatching(/^id +full_name +age +tags +doc +place +joined$/),
      expect.stringMatching(/^9 +Ada +36 +\{a,b\} +\{"n": 12345678901234567890\} +NULL +2026-01-02/),
      expect.stringMatching(/^10 +Bob\\n\\x1b\[31m +NULL +NULL/),
      expect.stringMatching(/^9007199254740993 +漢字 +36 +\{\} +\{"n":1\}/),
    ]);
  });

  test('says so where there are none', async () => {
    const list = await listUsers(database(), {
      where: ['age=1'],
      limit: 3,
      after: null,
      sort: null,
      skip: 0,
    });
    expect(renderUsers(list, PLAIN_STYLE)).toBe('No users.');
  });
});

describe('one user', () => {
  beforeAll(async () => {
    await database().pool.query(`insert into user_events.ledger
        (event_id, generation, partition, "offset", user_id, operation, status, published_at, data, blocked_by, error_code, error_message)
      values
        ('00000000-0000-7000-8000-000000000003', 0, 1, 9007199254740995, '10', 'delete', 'parked', '2026-01-03', null, '00000000-0000-7000-8000-000000000002', null, null),
        ('00000000-0000-7000-8000-000000000001', 0, 1, 5, '10', 'create', 'applied', '2026-01-01', '{"userId":"10","age":3}', null, null, null),
        ('00000000-0000-7000-8000-000000000002', 0, 1, 7, '10', 'update', 'failed', '2026-01-02', '{"userId":"10","agee":3}', null, 'UNKNOWN_FIELD', 'no column'),
        ('00000000-0000-7000-8000-000000000004', 0, 0, 1, '11', 'create', 'failed', '2026-01-02', '{"userId":"11"}', null, 'USER_EXISTS', 'x'),
        ('00000000-0000-7000-8000-000000000005', 0, 0, 2, '13', 'create', 'rolled_back', '2026-01-02', '{"userId":"13"}', null, 'USER_EXISTS', 'x')`);
  });

  test('has its row as JSON, every digit kept', async () => {
    const { details } = await getUser(database(), '9007199254740993', false);
    expect(toJson(details)).toBe(
      '{"userId":"9007199254740993","row":{"id":9007199254740993,"full_name":"漢字","age":36,"tags":[],' +
        '"doc":{"n":1},"place":null,"joined":"2026-01-02T03:04:05+00:00","twice":72}}',
    );
  });

  test('has its history in order, with what became of each event', async () => {
    const { details, text } = await getUser(database(), '10', true);
    expect(details.history?.map(({ offset, operation, status }) => [offset, operation, status])).toEqual([
      [5n, 'create', 'applied'],
      [7n, 'update', 'failed'],
      [9007199254740995n, 'delete', 'parked'],
    ]);
    expect(toJson(details)).toContain('"offset":9007199254740995,"timestamp":"2026-01-03T00:00:00.000Z"');
    const lines = renderUser(details, text, PLAIN_STYLE).split('\n');
    expect(lines).toContain(
      '2026-01-02T00:00:00.000Z  1@7                 update     failed   00000000-0000-7000-8000-000000000002  UNKNOWN_FIELD: no column',
    );
    expect(lines.at(-1)).toMatch(
      /1@9007199254740995 +delete +parked .* behind 00000000-0000-7000-8000-000000000002$/,
    );
  });

  test('without a row is USER_ROW_NOT_FOUND, which says that the ledger has events', async () => {
    await expect(getUser(database(), '12', false)).rejects.toMatchObject({
      code: 'USER_ROW_NOT_FOUND',
      exitCode: 5,
      message: 'There is no user 12',
    });
    await expect(getUser(database(), '11', false)).rejects.toMatchObject({
      hint: 'The ledger has 1 of its events: `user-events users get 11 --history`.',
    });
    await expect(getUser(database(), '12', true)).rejects.toMatchObject({ code: 'USER_ROW_NOT_FOUND' });
  });

  test('without a row has a history all the same', async () => {
    const { details, text } = await getUser(database(), '11', true);
    expect(details).toMatchObject({ row: null, history: [{ status: 'failed' }] });
    expect(renderUser(details, text, PLAIN_STYLE)).toContain('There is no row');
  });

  test('tells of a withdrawn event what it had failed with', async () => {
    const { details, text } = await getUser(database(), '13', true);
    expect(renderUser(details, text, PLAIN_STYLE)).toMatch(/ rolled_back .* withdrawn \(was USER_EXISTS\)$/);
  });

  test('is USAGE for what is no id of this table', async () => {
    await expect(getUser(database(), '010', false)).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('a database that is not set up', () => {
  let other: TestDatabase;
  beforeAll(async () => {
    other = await createTestDatabase();
  });
  afterAll(async () => {
    await other.drop();
  });

  test.each(['user_events', 'nowhere'])('is NOT_INITIALISED: schema %s', async (schema) => {
    await expect(
      listUsers({ ...other, schema }, { where: [], limit: 1, after: null, sort: null, skip: 0 }),
    ).rejects.toMatchObject({ code: 'NOT_INITIALISED', exitCode: 3 });
  });
});
