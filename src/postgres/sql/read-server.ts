import type { UsersTable } from '../../domain/users-table.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';

/** The server, as far as it decides whether a consumer can work on it. */
export interface ServerState {
  /** `15.4`, and as a number 150004. */
  readonly version: string;
  readonly versionNumber: number;
  /** A standby, or a session that is read-only by its settings. */
  readonly isReadOnly: boolean;
  readonly role: string;
  /** `UTF8`, as it should be. */
  readonly encoding: string;
}

export async function readServer(db: Queryable): Promise<ServerState | null> {
  const { rows } = await db.query<ServerState>(
    `select current_setting('server_version') as version,
       current_setting('server_version_num')::int4 as "versionNumber",
       pg_is_in_recovery() or current_setting('transaction_read_only')::bool as "isReadOnly",
       current_user::text as role, current_setting('server_encoding') as encoding`,
  );
  return rows[0] ?? null;
}

/**
 * Throws DATABASE_ENCODING where the database cannot hold every text: what one service can store and another cannot
 * would fail here event by event, and lengths would be counted in bytes.
 */
export async function requireUtf8(db: Queryable): Promise<void> {
  const text = `select current_setting('server_encoding') as encoding, current_database()::text as name`;
  const row = (await db.query<{ encoding: string; name: string }>(text)).rows[0];
  if (row === undefined || row.encoding === 'UTF8') return;
  throw encodingError(row.name, row.encoding);
}

export function encodingError(database: string, encoding: string): UserEventsError {
  return new UserEventsError('DATABASE_ENCODING', `The database ${database} is of encoding ${encoding}`);
}

/**
 * The rights that the session's role lacks to execute events, as `insert on users`; empty where it has all. The
 * ledger's schema and both tables must be there.
 */
export async function missingRights(
  db: Queryable,
  schema: string,
  table: UsersTable,
): Promise<readonly string[]> {
  const users = `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`;
  const ledger = ['binding', 'position', 'ledger', 'attempt'].map(
    (name) => `${quoteIdentifier(schema)}.${name}`,
  );
  const { rows } = await db.query<{ missing: string }>(
    `select format('usage on schema %s', s) as missing from unnest($1::text[]) s
       where not has_schema_privilege(s, 'usage')
     union all
     select format('%s on %s', p, t::regclass) from (
       select t, p from unnest($2::text[]) t, unnest(array['select', 'insert', 'update']) p
       union all select $3, unnest(array['select', 'insert', 'update', 'delete'])) wanted(t, p)
       where not has_table_privilege(t, p)`,
    [[schema, table.schema], ledger, users],
  );
  return rows.map(({ missing }) => missing);
}
