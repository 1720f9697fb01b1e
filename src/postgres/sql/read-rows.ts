import type { JsonObject } from '../../domain/event.ts';
import type { UsersTable } from '../../domain/users-table.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';

/** Users' rows as JSON, column by column, by key; users without a row are absent. No locks. */
export async function readRows(
  db: Queryable,
  table: UsersTable,
  userIds: readonly string[],
): Promise<Map<string, JsonObject>> {
  const key = quoteIdentifier(table.keyColumn);
  const text = `select t.${key}::text as key, row_to_json(t) as row
    from ${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)} t where t.${key} = any ($1::${table.keyType}[])`;
  const { rows } = await db.query<{ key: string; row: JsonObject }>(text, [userIds]);
  return new Map(rows.map(({ key: userId, row }) => [userId, row]));
}
