import type { UsersTable } from '../../domain/users-table.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import { describeSqlError } from '../errors.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';

/** One row of the service's own table. */
export interface UserRow {
  readonly userId: string;
  /** The whole row as JSON. */
  readonly json: string;
  /** The columns asked for as PostgreSQL prints them, in that order; null for NULL. */
  readonly texts: readonly (string | null)[];
}

/** `column = value`, by the column's own type. */
export interface UserFilter {
  readonly column: string;
  /** What the value is cast to; qualified and quoted. */
  readonly castType: string;
  /** Compared as jsonb: json has no equality. */
  readonly isJson: boolean;
  readonly value: string;
}

export interface UserSort {
  readonly column: string;
  readonly isDescending: boolean;
}

export interface UsersPage {
  readonly columns: readonly string[];
  readonly filters: readonly UserFilter[];
  /** Only users behind this key; null from the start. */
  readonly after: string | null;
  /** By this column, NULLs last, then by the key; null: by the key. */
  readonly sort: UserSort | null;
  /** Rows passed over. */
  readonly skip: number;
  /** Rows at the most. */
  readonly limit: number;
}

/**
 * Reads rows in the order of their keys. Uses the key's index unless a filter or a sort asks for more. No locks. USAGE where a
 * filter's value cannot be of its column's type, or the type has no equality.
 */
export async function readUsers(
  db: Queryable,
  table: UsersTable,
  page: UsersPage,
): Promise<readonly UserRow[]> {
  const key = `t.${quoteIdentifier(table.keyColumn)}`;
  const values: unknown[] = page.filters.map((filter) => filter.value);
  const conditions = page.filters.map(({ column, castType, isJson }, at) => {
    const name = `t.${quoteIdentifier(column)}`;
    const value = `$${String(at + 1)}::text`;
    return isJson ? `${name}::jsonb = ${value}::jsonb` : `${name} = ${value}::${castType}`;
  });
  if (page.after !== null)
    conditions.push(`${key} > $${String(values.push(page.after))}::text::${table.keyType}`);
  const where = conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
  const limit = `$${String(values.push(page.limit))} offset $${String(values.push(page.skip))}`;
  const { sort } = page;
  const by =
    sort === null
      ? ''
      : `t.${quoteIdentifier(sort.column)} ${sort.isDescending ? 'desc' : 'asc'} nulls last, `;
  const { rows } = await db
    .query<UserRow>(`${selectRows(table, page.columns)} ${where} order by ${by}${key} limit ${limit}`, values)
    .catch((error: unknown) => {
      throw asFilterFault(error);
    });
  return rows;
}

/** Class 22: a value that the type cannot be. 42883: the type has no equality or order. Only filters bring values here. */
function asFilterFault(error: unknown): unknown {
  const { sqlState } = describeSqlError(error);
  if (sqlState === undefined || !(sqlState.startsWith('22') || sqlState === '42883')) return error;
  const message =
    sqlState === '42883'
      ? 'A column that --where or --sort names has a type that cannot be compared'
      : 'A value of --where does not fit the type of its column';
  return new UserEventsError('USAGE', message, { cause: error });
}

/** Reads one user's row; null where there is none. */
export async function readUser(
  db: Queryable,
  table: UsersTable,
  columns: readonly string[],
  userId: string,
): Promise<UserRow | null> {
  const key = `t.${quoteIdentifier(table.keyColumn)}`;
  const { rows } = await db.query<UserRow>(
    `${selectRows(table, columns)} where ${key} = $1::text::${table.keyType}`,
    [userId],
  );
  return rows[0] ?? null;
}

function selectRows(table: UsersTable, columns: readonly string[]): string {
  const texts = columns.map((column) => `t.${quoteIdentifier(column)}::text`);
  return `select t.${quoteIdentifier(table.keyColumn)}::text as "userId", row_to_json(t)::text as json,
    array[${texts.join(', ')}]::text[] as texts
    from ${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)} t`;
}
