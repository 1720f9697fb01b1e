import { afterAll, beforeAll } from '@jest/globals';
import pg from 'pg';
import { createPool, type Database, type Pool } from '../../src/postgres/pool.ts';
import { uniqueName } from './names.ts';
import { TEST_SCHEMA } from './test-schema.ts';
import { waitFor } from './wait-for.ts';

/** Connections that are closing need a moment until the server has noticed. */
const CLOSING_TIMEOUT_MS = 2000;
const APPLICATION_NAME = 'user-events test';

/** A database of its own, with the ledger migrated. */
export interface TestDatabase extends Database {
  readonly connectionString: string;
  readonly name: string;
  /** A pool of the test's own, closed by `drop`. */
  readonly pool: Pool;
  /** Drops the database. Throws, naming them, when connections other than `pool`'s are still open: a leak. */
  drop(): Promise<void>;
}

/** Makes a database from this run's template. The caller drops it. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = uniqueName('test');
  await asAdmin((admin) =>
    admin.query(`create database ${name} template ${requiredEnv('TEST_TEMPLATE_DATABASE')}`),
  );
  const url = new URL(requiredEnv('TEST_POSTGRES_URL'));
  url.pathname = `/${name}`;
  const pool = createPool({ connectionString: url.href, applicationName: APPLICATION_NAME });
  return {
    connectionString: url.href,
    name,
    schema: TEST_SCHEMA,
    address: `${url.host}/${name}`,
    pool,
    async drop() {
      await pool.end();
      await asAdmin((admin) => dropDatabase(admin, name));
    },
  };
}

/** A database for the tests of the surrounding block: made before them, dropped after them. Returns how to get it. */
export function useTestDatabase(): () => TestDatabase {
  let database: TestDatabase | undefined;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(async () => {
    await database?.drop();
  });
  return () => {
    if (database === undefined) throw new Error('The test database is there in tests and hooks only');
    return database;
  };
}

async function dropDatabase(admin: pg.Client, name: string): Promise<void> {
  try {
    await closedConnections(admin, name);
  } finally {
    await admin.query(`drop database ${name} with (force)`);
  }
}

async function closedConnections(admin: pg.Client, name: string): Promise<void> {
  let open: string[] = [];
  await waitFor(
    async () => {
      const { rows } = await admin.query<{ connection: string }>(
        `select format('%s (%s): %s', application_name, state, left(query, 200)) as connection
           from pg_stat_activity where datname = $1 and backend_type = 'client backend'`,
        [name],
      );
      open = rows.map(({ connection }) => connection);
      return open.length === 0;
    },
    {
      timeoutMs: CLOSING_TIMEOUT_MS,
      describe: () => `the connections of ${name} to be closed; leaked: ${open.join('; ')}`,
    },
  );
}

async function asAdmin(work: (admin: pg.Client) => Promise<unknown>): Promise<void> {
  const admin = new pg.Client({ connectionString: requiredEnv('TEST_POSTGRES_URL') });
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}

function requiredEnv(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: this jest project has no global set-up`);
  return value;
}
