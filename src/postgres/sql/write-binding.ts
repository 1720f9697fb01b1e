import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';
import type { TableBinding } from './read-binding.ts';

/** Writes the binding's row unless it is there. One row; a second `init` waits for the first one's commit. */
export async function writeBinding(
  db: Queryable,
  schema: string,
  binding: TableBinding,
): Promise<'written' | 'exists'> {
  const { rowCount } = await db.query(
    `insert into ${quoteIdentifier(schema)}.binding
       (rules, users_schema, users_table, key_column, extra_column, created_column, updated_column)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict (only_row) do nothing`,
    valuesOf(binding),
  );
  return rowCount === 1 ? 'written' : 'exists';
}

/** Replaces what the row says of table and rules, as long as no consumer has begun. One row. `bound`: one has. */
export async function replaceBinding(
  db: Queryable,
  schema: string,
  binding: TableBinding,
): Promise<'written' | 'bound'> {
  const { rowCount } = await db.query(
    `update ${quoteIdentifier(schema)}.binding set rules = $1, users_schema = $2, users_table = $3, key_column = $4,
       extra_column = $5, created_column = $6, updated_column = $7 where bound_at is null`,
    valuesOf(binding),
  );
  return rowCount === 1 ? 'written' : 'bound';
}

function valuesOf(binding: TableBinding): (string | null)[] {
  const { rules, usersSchema, usersTable, keyColumn, extraColumn, createdColumn, updatedColumn } = binding;
  return [rules, usersSchema, usersTable, keyColumn, extraColumn, createdColumn, updatedColumn];
}
