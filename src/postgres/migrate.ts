import { readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

import { UserEventsError } from '../errors/user-events-error.ts';
import { toUserEventsError } from './errors.ts';
import { addressOf, createPool, type PoolClient, type Queryable } from './pool.ts';
import { quoteIdentifier } from './sql-text.ts';

/** `ledger`: the tables of a consumer group. `log`: the event log kept in PostgreSQL. */
export type MigrationSet = 'ledger' | 'log';

export interface MigrateSettings {
  /** `postgres://…`; without it libpq's PG* variables are read by the driver. */
  readonly connectionString?: string;
  readonly schema: string;
}

export interface MigrateResult {
  /** The names of the migrations that this call ran, in order; empty where the schema was current. */
  readonly applied: readonly string[];
}

/** `absent`: not one migration ran here. `behind`: some are missing. `newer`: it has some that this package lacks. */
export type SchemaState = 'absent' | 'behind' | 'current' | 'newer';

const TABLE = 'migration';
/**
 * 'userev' in ASCII. Our own number rather than the library's: a service that migrates its own tables with the same
 * library at the same moment is then not told that a migration is already running.
 */
const LOCK = 0x757365726576;

/**
 * Brings the ledger's schema up to this package's version, making the schema where it is absent. All in one
 * transaction, under an advisory lock: a second run waits for the first. Safe to repeat.
 * Throws SCHEMA_NEWER, DATABASE_UNREACHABLE, DATABASE_REFUSED.
 */
export function migrateLedger(settings: MigrateSettings): Promise<MigrateResult> {
  return migrate('ledger', settings);
}

/** The same for the schema of the event log in PostgreSQL. */
export function migrateLog(settings: MigrateSettings): Promise<MigrateResult> {
  return migrate('log', settings);
}

/** Compares a schema with this package's migrations. One read, no lock. */
export async function schemaState(
  database: Queryable,
  set: MigrationSet,
  schema: string,
): Promise<SchemaState> {
  const known = await migrationNames(set);
  const applied = await appliedNames(database, schema);
  if (applied.some((name) => !known.includes(name))) return 'newer';
  if (applied.length === 0) return 'absent';
  return applied.length < known.length ? 'behind' : 'current';
}

async function migrate(set: MigrationSet, settings: MigrateSettings): Promise<MigrateResult> {
  const address = addressOf(settings.connectionString);
  const pool = createPool({ ...settings, max: 1 });
  try {
    const client = await pool.connect();
    try {
      return await runUnderLock(client, set, settings.schema);
    } finally {
      // The session holds the lock and a search_path: it is closed, not given back.
      client.release(true);
    }
  } catch (error) {
    throw toUserEventsError(error, address);
  } finally {
    await pool.end();
  }
}

async function runUnderLock(client: PoolClient, set: MigrationSet, schema: string): Promise<MigrateResult> {
  // Waiting for another run is no error, however long the role's or database's time-outs are.
  await client.query('set statement_timeout = 0; set lock_timeout = 0');
  await client.query('select pg_advisory_lock($1)', [LOCK]);
  const state = await schemaState(client, set, schema);
  if (state === 'newer') throw newer(set, schema);
  if (state === 'current') return { applied: [] };
  await createSchema(client, schema);
  // Loaded when there is something to run: nearly every command finds the schema current.
  const { runner } = await import('node-pg-migrate');
  const ran = await runner({
    dbClient: client,
    dir: directoryOf(set),
    direction: 'up',
    schema,
    migrationsTable: TABLE,
    // Held twice by one session: the library's own lock does not wait, since this session has it.
    lockValue: LOCK,
    advisoryLockMode: 'wait',
    singleTransaction: true,
    logger: SILENT,
  });
  return { applied: ran.map(({ name }) => name) };
}

/** Asks first: `create schema if not exists` wants the right to create schemas even where the schema is there. */
async function createSchema(client: PoolClient, schema: string): Promise<void> {
  const found = await client.query('select from pg_namespace where nspname = $1', [schema]);
  if (found.rowCount === 0) await client.query(`create schema ${quoteIdentifier(schema)}`);
}

async function appliedNames(database: Queryable, schema: string): Promise<readonly string[]> {
  const table = `${quoteIdentifier(schema)}.${TABLE}`;
  const found = await database.query<{ isThere: boolean }>(
    'select to_regclass($1) is not null as "isThere"',
    [table],
  );
  if (found.rows[0]?.isThere !== true) return [];
  const { rows } = await database.query<{ name: string }>(`select name from ${table} order by id`);
  return rows.map(({ name }) => name);
}

async function migrationNames(set: MigrationSet): Promise<readonly string[]> {
  const files = await readdir(directoryOf(set));
  return files.filter((file) => file.endsWith('.sql')).map((file) => basename(file, '.sql'));
}

/** Two folders up from here in the sources, in the build and in an installed package alike. */
function directoryOf(set: MigrationSet): string {
  return fileURLToPath(new URL(`../../migrations/${set}`, import.meta.url));
}

function newer(set: MigrationSet, schema: string): UserEventsError {
  return new UserEventsError(
    'SCHEMA_NEWER',
    `The schema ${schema} (${set}) was migrated by a newer version of user-events`,
    { facts: { schema } },
  );
}

function ignore(): void {
  // What the library reports reaches the caller as a result or an error.
}
const SILENT = { debug: ignore, info: ignore, warn: ignore, error: ignore };
