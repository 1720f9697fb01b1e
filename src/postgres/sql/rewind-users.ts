import type { UsersTable } from '../../domain/users-table.ts';
import { textArray, uuidArray } from '../binary-array.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier, quoteLiteral } from '../sql-text.ts';

/**
 * Sets users' rows back to the before images of the events named: deletes, updates or inserts at most one row each.
 * A row that is there keeps the columns that no event carries; a row that is gone comes back whole. Columns that the
 * image does not know, since they were added later, stay as they are or take their default. UE003 where a trigger or
 * policy kept a row from being written.
 */
export async function rewindUsers(
  db: Queryable,
  schema: string,
  table: UsersTable,
  rewinds: readonly { readonly userId: string; readonly imageOf: string }[],
): Promise<void> {
  const target = `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`;
  const key = quoteIdentifier(table.keyColumn);
  const carried = [
    ...table.columns.map((column) => column.name),
    ...[table.createdColumn, table.updatedColumn].filter((name) => name !== null),
  ].map(quoteIdentifier);
  const sets =
    carried.length === 0
      ? `${key} = u.${key}`
      : `(${carried.join(', ')}) = (select ${carried.map((name) => `r.${name}`).join(', ')} from json_populate_record(u, a.before) r)`;
  const whole = table.writableColumns.map((name) => wholeValue(table, name));
  const text = `with asked as materialized (
      select k.user_key, l.before, l.before_exists, exists (select from ${target} u where u.${key} = k.user_key) as is_there
      from unnest($1::text[], $2::uuid[]) as a(user_id, image_of)
      join ${quoteIdentifier(schema)}.ledger l on l.event_id = a.image_of
      cross join lateral (select a.user_id::${table.keyType} as user_key) k),
    deleted as (delete from ${target} u using asked a where u.${key} = a.user_key and not a.before_exists returning 1),
    updated as (
      update ${target} u set ${sets} from asked a where u.${key} = a.user_key and a.before_exists returning 1),
    inserted as (
      insert into ${target} (${table.writableColumns.map(quoteIdentifier).join(', ')}) overriding system value
      select ${whole.join(', ')} from asked a cross join lateral json_populate_record(null::${target}, a.before) r
      where a.before_exists and not a.is_there returning 1)
    select case when (select count(*) from deleted) <> count(*) filter (where is_there and not before_exists)
        or (select count(*) from updated) <> count(*) filter (where is_there and before_exists)
        or (select count(*) from inserted) <> count(*) filter (where not is_there and before_exists)
      then ${quoteIdentifier(schema)}.refuse('UE003', 'a trigger or policy kept a row from being set back') end from asked`;
  await db.query(text, [
    textArray(rewinds.map((rewind) => rewind.userId)),
    uuidArray(rewinds.map((rewind) => rewind.imageOf)),
  ]);
}

function wholeValue(table: UsersTable, name: string): string {
  const value = `r.${quoteIdentifier(name)}`;
  const fallback = table.columns.find((column) => column.name === name)?.defaultExpression ?? null;
  return fallback === null
    ? value
    : `case when a.before::jsonb ? ${quoteLiteral(name)} then ${value} else ${fallback} end`;
}
