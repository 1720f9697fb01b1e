import type { UsersTable } from '../../domain/users-table.ts';
import { textArray } from '../binary-array.ts';
import { describeSqlError } from '../errors.ts';
import type { PoolClient } from '../pool.ts';
import { savepoint } from '../transaction.ts';

/** A column whose type cannot take a value, with its length or precision: `character varying(20)`. */
export interface InvalidValue {
  readonly column: string;
  readonly type: string;
}

/**
 * Which of the values their columns cannot take: PostgreSQL does not name the column of such an error. Empty before
 * PostgreSQL 16, which has no function for it. Runs behind a savepoint. No locks.
 */
export async function readInvalidValues(
  client: PoolClient,
  table: UsersTable,
  values: ReadonlyMap<string, string>,
): Promise<readonly InvalidValue[]> {
  const text = `select a.attname::text as column, t.type from unnest($3::text[], $4::text[]) v(name, value)
    join pg_catalog.pg_class c on c.relname = $2
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace and n.nspname = $1
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = v.name and not a.attisdropped
    cross join lateral (select pg_catalog.format_type(a.atttypid, a.atttypmod) as type) t
    where not pg_catalog.pg_input_is_valid(v.value, t.type) order by a.attnum`;
  const parameters = [
    table.schema,
    table.name,
    textArray([...values.keys()]),
    textArray([...values.values()]),
  ];
  try {
    return (await savepoint(client, () => client.query<InvalidValue>(text, parameters))).rows;
  } catch (error) {
    // 42883: the function is not there. 22xxx, 0A000: a type whose input function cannot be asked.
    const state = describeSqlError(error).sqlState ?? '';
    if (state === '42883' || state === '0A000' || state.startsWith('22')) return [];
    throw error;
  }
}
