import { quoteIdentifier, type Queryable } from '../pool.ts';
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
    [
      binding.rules,
      binding.usersSchema,
      binding.usersTable,
      binding.keyColumn,
      binding.extraColumn,
      binding.createdColumn,
      binding.updatedColumn,
    ],
  );
  return rowCount === 1 ? 'written' : 'exists';
}
