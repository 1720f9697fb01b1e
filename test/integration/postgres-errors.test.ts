import { describe, expect, test } from '@jest/globals';
import { createServer, type AddressInfo } from 'node:net';
import pg from 'pg';

import { toLogError } from '../../src/log/postgres/errors.ts';
import { describeSqlError, isUnreachable, toUserEventsError } from '../../src/postgres/errors.ts';
import { addressOf, createPool } from '../../src/postgres/pool.ts';
import { readBinding } from '../../src/postgres/sql/read-binding.ts';
import { useTestDatabase } from '../support/test-database.ts';

const database = useTestDatabase();

/** What the driver throws for `sql` at this address. */
async function thrownBy(connectionString: string, sql = 'select 1'): Promise<unknown> {
  const pool = createPool({ connectionString, max: 1, connectTimeoutMs: 300 });
  try {
    await pool.query(sql);
    return null;
  } catch (error) {
    return error;
  } finally {
    await pool.end();
  }
}

function withPart(part: 'port' | 'hostname' | 'pathname' | 'username' | 'password', value: string): string {
  const url = new URL(database().connectionString);
  url[part] = value;
  return url.href;
}

/** A server that takes connections and does with them as told. */
async function withServer(
  onConnect: 'silence' | 'hang up',
  work: (url: string) => Promise<void>,
): Promise<void> {
  const sockets = new Set<{ destroy(): unknown }>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    if (onConnect === 'hang up') socket.destroy();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    const { port } = server.address() as AddressInfo;
    await work(`postgres://ada:secret@127.0.0.1:${port}/users`);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

describe('an error of PostgreSQL', () => {
  test('is DATABASE_UNREACHABLE where nobody listens, nobody answers, or the name is unknown', async () => {
    const closed = await thrownBy('postgres://ada:secret@127.0.0.1:1/users');
    expect(toUserEventsError(closed, '127.0.0.1:1/users')).toMatchObject({
      code: 'DATABASE_UNREACHABLE',
      exitCode: 4,
      message: 'PostgreSQL at 127.0.0.1:1/users cannot be reached: ECONNREFUSED',
      cause: closed,
    });
    expect(describeSqlError(closed)).toMatchObject({
      isConnectionLoss: true,
      isBeforeSend: true,
      nodeCode: 'ECONNREFUSED',
    });
    const unknown = await thrownBy('postgres://ada:secret@no-such-host.invalid/users');
    expect(toUserEventsError(unknown, 'x')).toMatchObject({ code: 'DATABASE_UNREACHABLE' });
    for (const behaviour of ['silence', 'hang up'] as const) {
      await withServer(behaviour, async (url) => {
        expect(toUserEventsError(await thrownBy(url), 'x')).toMatchObject({ code: 'DATABASE_UNREACHABLE' });
      });
    }
  });

  test('is a loss of the connection, with an unknown outcome, where the server ends the session', async () => {
    const error = await thrownBy(
      database().connectionString,
      'select pg_terminate_backend(pg_backend_pid())',
    );
    expect(isUnreachable(error)).toBe(true);
    expect(describeSqlError(error)).toMatchObject({ isBeforeSend: false });
  });

  test('is DATABASE_REFUSED where the role, the password or the database is wrong, without the password', async () => {
    for (const [url, sqlState] of [
      [withPart('username', 'nobody_here'), '28P01'],
      [withPart('password', 'wr0ng'), '28P01'],
      [withPart('pathname', '/no_such_database'), '3D000'],
    ] as const) {
      const error = toUserEventsError(await thrownBy(url), addressOf(url));
      expect(error).toMatchObject({ code: 'DATABASE_REFUSED', exitCode: 3, facts: { sqlState } });
      expect(error.message).not.toContain('wr0ng');
    }
  });

  test('is DATABASE_REFUSED where a password is asked for and none is set', async () => {
    const client = new pg.Client({ connectionString: withPart('password', '') });
    const thrown: unknown = await client.connect().catch((error: unknown) => error);
    // The driver keeps the connection, and the server waits for the password: a minute, in which no database is dropped.
    await client.end();
    expect(toUserEventsError(thrown, 'x')).toMatchObject({
      code: 'DATABASE_REFUSED',
      message: 'PostgreSQL at x refused: it asks for a password and none is set',
    });
  });

  test('is DATABASE_REFUSED where TLS is asked for and not offered', async () => {
    const url = new URL(database().connectionString);
    url.searchParams.set('sslmode', 'verify-full');
    expect(toUserEventsError(await thrownBy(url.href), 'x')).toMatchObject({ code: 'DATABASE_REFUSED' });
  });

  test('is NOT_INITIALISED where the table or its schema is not there', async () => {
    const { connectionString } = database();
    for (const sql of [
      'select from no_schema.ledger',
      'select from no_table',
      'create table no_schema.t ()',
    ]) {
      expect(toUserEventsError(await thrownBy(connectionString, sql), 'x')).toMatchObject({
        code: 'NOT_INITIALISED',
      });
    }
  });

  test('is told as what it is where the server has no space or no connections left', async () => {
    const raised = (sqlState: string): Promise<unknown> =>
      thrownBy(
        database().connectionString,
        `do $$ begin raise exception 'could not extend file' using errcode = '${sqlState}'; end $$`,
      );
    const place = { address: 'postgres://x', schema: 's', topic: 't' };
    const full = await raised('53100');
    const told = {
      message: 'PostgreSQL at postgres://x has no space left: could not extend file (SQLSTATE 53100)',
      hint: 'Free space where PostgreSQL keeps its data, then run it again.',
    };
    expect(toUserEventsError(full, 'postgres://x')).toMatchObject({ code: 'DATABASE_UNREACHABLE', ...told });
    expect(toLogError(full, place)).toMatchObject({ code: 'LOG_UNREACHABLE', ...told });
    const crowded = await raised('53300');
    expect(toUserEventsError(crowded, 'x')).toMatchObject({
      message: expect.stringContaining('PostgreSQL at x has no resources left: '),
      hint: expect.stringContaining('wait until it is free'),
    });
    const away = await thrownBy('postgres://ada:secret@127.0.0.1:1/users');
    expect(toLogError(away, place)).toMatchObject({
      code: 'LOG_UNREACHABLE',
      hint: 'Check EVENT_LOG_URL and that its PostgreSQL runs.',
    });
  });

  test('is NOT_INITIALISED with the place and the schema where there is no binding', async () => {
    const { pool, address } = database();
    const told = { code: 'NOT_INITIALISED', message: `${address} has no ledger in schema nowhere` };
    await expect(readBinding(pool, 'nowhere')).rejects.toMatchObject(told);
    const client = await pool.connect();
    try {
      await expect(readBinding(client, 'nowhere')).rejects.toMatchObject(told);
    } finally {
      client.release();
    }
  });

  test('is described field by field, also as the cause of another error', async () => {
    const sql = `create temp table t (n int constraint small check (n < 10)); insert into t values (99)`;
    const error = await thrownBy(database().connectionString, sql);
    expect(describeSqlError(new Error('above', { cause: error }))).toMatchObject({
      sqlState: '23514',
      table: 't',
      constraint: 'small',
      detail: 'Failing row contains (99).',
      isConnectionLoss: false,
    });
  });

  test('is given back as it is where it is about neither the connection nor the set-up', async () => {
    const bug = new TypeError('ours');
    expect(toUserEventsError(bug, 'x')).toBe(bug);
    const division = await thrownBy(database().connectionString, 'select 1 / 0');
    expect(toUserEventsError(division, 'x')).toBe(division);
  });
});
