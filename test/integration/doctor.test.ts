import { describe, expect, test } from '@jest/globals';
import {
  examine,
  failedCheck,
  type Check,
  type DoctorDependencies,
  type DoctorResult,
} from '../../src/app/doctor.ts';
import { PLAIN_STYLE } from '../../src/cli/theme.ts';
import { renderDoctor } from '../../src/cli/views/doctor.ts';
import { UserEventsError } from '../../src/errors/user-events-error.ts';
import { createPostgresEventLog } from '../../src/log/postgres/event-log.ts';
import { toUserEventsError } from '../../src/postgres/errors.ts';
import { schemaState } from '../../src/postgres/migrate.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { writeBinding } from '../../src/postgres/sql/write-binding.ts';
import { useTestDatabase } from '../support/test-database.ts';

const database = useTestDatabase();
const NOWHERE = 'postgres://127.0.0.1:1/none';

interface Setting {
  readonly logUrl?: string;
  readonly databaseUrl?: string;
  readonly schema?: string;
  readonly topic?: string;
  readonly more?: Partial<DoctorDependencies>;
}

/** Examines real services; what it opened is closed behind it. */
async function doctor({ topic = 'user-events', ...setting }: Setting = {}): Promise<DoctorResult> {
  const { connectionString, address } = database();
  const log = createPostgresEventLog({
    connectionString: setting.logUrl ?? connectionString,
    topic,
    patience: 'short',
  });
  const pool = createPool({ connectionString: setting.databaseUrl ?? connectionString });
  const schema = setting.schema ?? 'user_events';
  try {
    return await examine({
      nodeVersion: 'v22.1.0',
      topic,
      openLog: () => Promise.resolve(log),
      openDatabase: () => Promise.resolve({ pool, schema, address }),
      ledgerState: () => schemaState(pool, 'ledger', schema),
      engineStatus: null,
      findProgram: (name) => Promise.resolve(name === 'java' ? 'openjdk 21' : null),
      explain: (error) => Promise.resolve(toUserEventsError(error, address)),
      ...setting.more,
    });
  } finally {
    await Promise.all([log.close(), pool.end()]);
  }
}

function find(result: DoctorResult, name: string): Check | undefined {
  return result.checks.find((check) => check.name === name);
}

async function setUp(): Promise<void> {
  const { pool, connectionString } = database();
  await pool.query('create table if not exists public.users (user_id text primary key, name text)');
  await writeBinding(pool, 'user_events', {
    rules: 'strict',
    usersSchema: 'public',
    usersTable: 'users',
    keyColumn: 'user_id',
    extraColumn: null,
    createdColumn: null,
    updatedColumn: null,
  });
  const log = createPostgresEventLog({ connectionString, topic: 'user-events', patience: 'short' });
  await log.createTopic(3);
  await log.close();
}

describe('before init', () => {
  test('the topic and the ledger fail with exit 3, and the mend is init', async () => {
    const result = await doctor();
    expect(result.healthy).toBe(false);
    expect(find(result, 'topic')).toMatchObject({ state: 'fail', code: 'TOPIC_NOT_FOUND', exit: 3 });
    expect(find(result, 'database')).toMatchObject({
      state: 'ok',
      detail: expect.stringContaining('PostgreSQL '),
    });
    expect(find(result, 'ledger')).toMatchObject({ state: 'ok' });
  });

  test('a schema that is not there fails', async () => {
    expect(find(await doctor({ schema: 'nowhere' }), 'ledger')).toMatchObject({
      state: 'fail',
      detail: 'There is no schema nowhere',
      mend: expect.stringContaining('user-events init'),
      exit: 3,
    });
  });
});

describe('after init', () => {
  test('all is well', async () => {
    await setUp();
    const result = await doctor();
    expect(result.checks.map(({ name, state }) => [name, state])).toEqual([
      ['Node.js', 'ok'],
      ['event log', 'ok'],
      ['topic', 'ok'],
      ['database', 'ok'],
      ['ledger', 'ok'],
      ['binding', 'ok'],
      ['users table', 'ok'],
      ['rights', 'ok'],
      ['Java', 'info'],
      ['Maven', 'info'],
    ]);
    expect(result.healthy).toBe(true);
    expect(renderDoctor(result, PLAIN_STYLE)).toContain(
      '✓ users table  public.users, key user_id (text); events carry name\n',
    );
  });

  test('a role without rights is told which ones are missing', async () => {
    await setUp();
    const { pool, name } = database();
    await pool.query(`create role reader_${name} login password 'reader';
      grant usage on schema user_events to reader_${name};
      grant select on all tables in schema user_events to reader_${name};
      grant select, insert, update, delete on public.users to reader_${name}`);
    const url = new URL(database().connectionString);
    url.username = `reader_${name}`;
    url.password = 'reader';
    const rights = find(await doctor({ databaseUrl: url.href }), 'rights');
    await pool.query(`drop owned by reader_${name}; drop role reader_${name}`);
    expect(rights).toMatchObject({ state: 'fail', code: 'DATABASE_REFUSED', exit: 3 });
    expect(rights?.detail).toContain('insert on user_events.ledger');
    expect(rights?.detail).not.toContain('public.users');
    expect(rights?.detail).not.toContain('select');
  });

  test('another topic than the one consumed from fails', async () => {
    await setUp();
    await database().pool.query("update user_events.binding set topic = 'orders'");
    expect(find(await doctor(), 'binding')).toMatchObject({ state: 'fail', code: 'BINDING_MISMATCH' });
    await database().pool.query('update user_events.binding set topic = null');
  });

  test('a session that is read-only fails', async () => {
    const url = new URL(database().connectionString);
    url.searchParams.set('options', '-c default_transaction_read_only=on');
    expect(find(await doctor({ databaseUrl: url.href }), 'database')).toMatchObject({
      state: 'fail',
      detail: expect.stringContaining('read-only'),
    });
  });
});

describe('what is out of reach', () => {
  test('fails with exit 4 within 2 s, both halves at once', async () => {
    const startedAt = performance.now();
    const result = await doctor({ logUrl: NOWHERE, databaseUrl: NOWHERE });
    expect(performance.now() - startedAt).toBeLessThan(2000);
    expect(find(result, 'event log')).toMatchObject({ state: 'fail', code: 'LOG_UNREACHABLE', exit: 4 });
    expect(find(result, 'database')).toMatchObject({ state: 'fail', code: 'DATABASE_UNREACHABLE', exit: 4 });
  });
});

describe('the embedded engine', () => {
  test('that does not run is not started: the rest is not looked at, and nothing failed', async () => {
    const engineStatus = () => Promise.resolve({ state: 'stopped', dataDir: '/data' });
    const result = await doctor({ more: { engineStatus } });
    expect(find(result, 'embedded engine')).toMatchObject({
      state: 'warn',
      mend: expect.stringContaining('up'),
    });
    expect(find(result, 'database')).toBeUndefined();
    expect(result.healthy).toBe(true);
  });

  test('that runs is looked into', async () => {
    const engineStatus = () => Promise.resolve({ state: 'running', dataDir: '/data' });
    expect(find(await doctor({ more: { engineStatus } }), 'database')).toBeDefined();
  });
});

test.each([
  ['v20.16.0', 'fail'],
  ['v20.17.0', 'ok'],
  ['v18.20.0', 'fail'],
  ['v24.0.0', 'ok'],
])('Node.js %s is %s', async (nodeVersion, state) => {
  expect(find(await doctor({ more: { nodeVersion } }), 'Node.js')).toMatchObject({ state });
});

test('a bug is thrown on, not reported as a finding', () => {
  expect(() => failedCheck('x', new TypeError('bug'))).toThrow(TypeError);
  expect(failedCheck('x', new UserEventsError('CONFIG_HALF', 'm'))).toMatchObject({
    code: 'CONFIG_HALF',
    exit: 3,
  });
});
