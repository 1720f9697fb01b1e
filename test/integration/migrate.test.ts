import { describe, expect, test } from '@jest/globals';
import type { Client } from 'pg';
import pg from 'pg';

import { migrateLedger, migrateLog, schemaState } from '../../src/postgres/migrate.ts';
import { uniqueName } from '../support/names.ts';
import { useTestDatabase } from '../support/test-database.ts';
import { waitFor } from '../support/wait-for.ts';

const database = useTestDatabase();

async function withClient<T>(connectionString: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function tablesOf(schema: string): Promise<string[]> {
  const { rows } = await database().pool.query<{ name: string }>(
    'select relname as name from pg_class where relnamespace = $1::regnamespace and relkind = $2 order by 1',
    [schema, 'r'],
  );
  return rows.map(({ name }) => name);
}

describe.each([
  ['ledger', migrateLedger],
  ['log', migrateLog],
] as const)('the migrations of the %s', (set, migrate) => {
  test('run once, in the schema named and in no other', async () => {
    const { connectionString, pool } = database();
    const schema = uniqueName('Our-Schema');
    expect(await schemaState(pool, set, schema)).toBe('absent');
    const { applied } = await migrate({ connectionString, schema });
    expect(applied[0]).toMatch(/^000001_/);
    expect(await migrate({ connectionString, schema })).toEqual({ applied: [] });
    expect(await schemaState(pool, set, schema)).toBe('current');
    expect(await tablesOf(JSON.stringify(schema))).toContain('migration');
    expect(await tablesOf('public')).toEqual([]);
  });

  test('are run by one of three that start at the same time; the others wait for it', async () => {
    const { connectionString } = database();
    const schema = uniqueName('together');
    const results = await Promise.all([1, 2, 3].map(() => migrate({ connectionString, schema })));
    expect(results.filter(({ applied }) => applied.length > 0)).toHaveLength(1);
  });

  test('refuse a schema that a newer version has migrated', async () => {
    const { connectionString, pool } = database();
    const schema = uniqueName('newer');
    await migrate({ connectionString, schema });
    await pool.query(`insert into ${schema}.migration (name, run_on) values ('999999_future', now())`);
    expect(await schemaState(pool, set, schema)).toBe('newer');
    await expect(migrate({ connectionString, schema })).rejects.toMatchObject({
      code: 'SCHEMA_NEWER',
      exitCode: 3,
    });
  });
});

test('a role that may make nothing is told so, and may run the migrations of a schema that is current', async () => {
  const { connectionString, pool, name } = database();
  const role = uniqueName('role');
  const schema = uniqueName('granted');
  await migrateLog({ connectionString, schema });
  await pool.query(
    `create role ${role} login password 'secret';
     revoke create on database ${name} from public;
     grant usage on schema ${schema} to ${role};
     grant select on all tables in schema ${schema} to ${role}`,
  );
  try {
    const url = new URL(connectionString);
    url.username = role;
    url.password = 'secret';
    expect(await migrateLog({ connectionString: url.href, schema })).toEqual({ applied: [] });
    await expect(migrateLog({ connectionString: url.href, schema: uniqueName('new') })).rejects.toMatchObject(
      {
        code: 'DATABASE_REFUSED',
        facts: { sqlState: '42501' },
      },
    );
  } finally {
    await pool.query(`drop owned by ${role}; drop role ${role}`);
  }
});

test('a run waits for another one, however short the time-outs of its role are', async () => {
  const { connectionString, pool } = database();
  const url = new URL(connectionString);
  url.searchParams.set('options', '-c statement_timeout=1 -c lock_timeout=1');
  const schema = uniqueName('slow');
  await withClient(connectionString, async (client) => {
    // Whoever migrates at this moment.
    await client.query('select pg_advisory_lock($1)', [0x757365726576]);
    const waiting = migrateLedger({ connectionString: url.href, schema });
    const waits = `select from pg_locks where locktype = 'advisory' and not granted and database =
      (select oid from pg_database where datname = current_database())`;
    await waitFor(async () => (await pool.query(waits)).rowCount, { describe: 'the run to wait' });
    await client.query('select pg_advisory_unlock($1)', [0x757365726576]);
    expect((await waiting).applied).not.toEqual([]);
  });
});
