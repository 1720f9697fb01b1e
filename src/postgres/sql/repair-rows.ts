import type { FoldedImage } from '../../domain/expected-row.ts';
import type { UserColumn, UsersTable } from '../../domain/users-table.ts';
import { boolArray, int8ArrayOfNumbers, jsonArray, textArray, uuidArray } from '../binary-array.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier, quoteLiteral } from '../sql-text.ts';
import type { ExpectedRow } from './find-drift.ts';

/** A row as it has to be, and the times of the events that made and last changed it, ms. */
export interface RowRepair extends ExpectedRow {
  readonly madeAt: number;
  readonly touchedAt: number;
}

export interface RepairCounts {
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

/**
 * Sets rows to what the ledger says: inserts a row that is missing (whole: image and what was applied since, defaults for
 * the rest), updates the columns that events carry of one that is there, deletes one that the fold does not have. At most
 * one row each. UE003 where a trigger or policy kept one from being written. Locks the rows until COMMIT; safe to repeat.
 */
export async function repairRows(
  db: Queryable,
  schema: string,
  table: UsersTable,
  rows: readonly RowRepair[],
): Promise<RepairCounts> {
  const target = `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`;
  const key = quoteIdentifier(table.keyColumn);
  const sets = table.columns.map((column) => {
    const name = quoteIdentifier(column.name);
    return `${name} = case when a.carried ? ${quoteLiteral(column.name)} then ${repaired(table, column)} else u.${name} end`;
  });
  const inserted = table.writableColumns.map((name) => insertedValue(table, name));
  const text = `with asked as materialized (
      select a.user_id::${table.keyType} as user_key, a.exists, a.extra, a.carried, a.made_at, a.touched_at,
        coalesce(l.before::jsonb, '{}') as image, coalesce(l.before::jsonb, '{}') || a.changes as fields,
        exists (select from ${target} u where u.${key} = a.user_id::${table.keyType}) as is_there
      from unnest($1::text[], $2::uuid[], $3::bool[], $4::json[]::jsonb[], $5::json[]::jsonb[], $6::json[]::jsonb[], $7::int8[], $8::int8[])
        as a(user_id, image_of, exists, changes, extra, carried, made_at, touched_at)
      left join ${quoteIdentifier(schema)}.ledger l on l.event_id = a.image_of),
    deleted as (delete from ${target} u using asked a where u.${key} = a.user_key and not a.exists returning 1),
    updated as (
      update ${target} u set ${sets.length === 0 ? `${key} = u.${key}` : sets.join(', ')}
      from asked a where u.${key} = a.user_key and a.exists returning 1),
    inserted as (
      insert into ${target} (${table.writableColumns.map(quoteIdentifier).join(', ')}) overriding system value
      select ${inserted.join(', ')} from asked a cross join lateral jsonb_populate_record(null::${target}, a.fields) e
      where a.exists and not a.is_there returning 1),
    counts as (select (select count(*)::int from inserted) as inserted, (select count(*)::int from updated) as updated,
      (select count(*)::int from deleted) as deleted)
    select c.*, case when c.deleted <> n.to_delete or c.updated <> n.to_update or c.inserted <> n.to_insert
      then ${quoteIdentifier(schema)}.refuse('UE003', 'a trigger or policy kept a row from being set') end
    from counts c cross join (select count(*) filter (where is_there and not exists) as to_delete,
      count(*) filter (where is_there and exists) as to_update, count(*) filter (where not is_there and exists) as to_insert
      from asked) n`;
  const answer = await db.query<RepairCounts>(text, [
    textArray(rows.map((row) => row.userId)),
    uuidArray(rows.map((row) => row.imageOf)),
    boolArray(rows.map((row) => row.exists)),
    jsonArray(rows.map((row) => JSON.stringify(row.changes))),
    jsonArray(rows.map((row) => JSON.stringify(row.extra))),
    jsonArray(rows.map((row) => JSON.stringify(row.carried))),
    int8ArrayOfNumbers(rows.map((row) => row.madeAt)),
    int8ArrayOfNumbers(rows.map((row) => row.touchedAt)),
  ]);
  const { inserted: made = 0, updated = 0, deleted = 0 } = answer.rows[0] ?? {};
  return { inserted: made, updated, deleted };
}

/** The value of a column of a row that is there: populated over it, so that what nothing says stays. */
function repaired(table: UsersTable, column: UserColumn): string {
  const name = quoteIdentifier(column.name);
  const value = `(select e.${name} from jsonb_populate_record(u, a.fields) e)`;
  return column.name === table.extraColumn ? `(coalesce(${value}, '{}')::jsonb || a.extra)` : value;
}

function insertedValue(table: UsersTable, name: string): string {
  const target = `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`;
  const value = `e.${quoteIdentifier(name)}`;
  if (name === table.keyColumn) return 'a.user_key';
  if (name === table.extraColumn) return `(coalesce(${value}, '{}')::jsonb || a.extra)`;
  const isKnown = `a.fields ? ${quoteLiteral(name)}`;
  // The event's own times, as the statement that executes events has them.
  if (name === table.updatedColumn) return 'to_timestamp(a.touched_at / 1000.0)';
  if (name === table.createdColumn)
    return `case when ${isKnown} then ${value} else to_timestamp(a.made_at / 1000.0) end`;
  const fallback = table.columns.find((column) => column.name === name)?.defaultExpression ?? null;
  if (fallback !== null) return `case when ${isKnown} then ${value} else ${fallback} end`;
  if (table.columns.some((column) => column.name === name)) return value;
  // An identity column takes the next of its sequence; of any other there is no sequence, and so NULL.
  const sequence = `pg_get_serial_sequence(${quoteLiteral(target)}, ${quoteLiteral(name)})`;
  return `case when ${isKnown} then ${value} else nextval(${sequence}) end`;
}

/**
 * Puts the fold into before images, so that the next rewind finds no drift in what was repaired. One row of the ledger
 * each; the caller has raised the revisions.
 */
export async function repairImages(
  db: Queryable,
  schema: string,
  table: UsersTable,
  images: readonly FoldedImage[],
): Promise<void> {
  if (images.length === 0) return;
  const extra =
    table.extraColumn === null
      ? `'{}'::jsonb`
      : `case when a.extra = '{}' then '{}' else jsonb_build_object(${quoteLiteral(table.extraColumn)},
          coalesce(l.before::jsonb -> ${quoteLiteral(table.extraColumn)}, '{}') || a.extra) end`;
  // An image that had no row begins with the row as it was just set: a rewind has to find a whole one.
  const key = quoteIdentifier(table.keyColumn);
  const row = `(select to_jsonb(t) from ${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)} t
      where t.${key} = l.user_id::${table.keyType})`;
  const base = `coalesce(l.before::jsonb, ${row}, jsonb_build_object(${quoteLiteral(table.keyColumn)}, l.user_id))`;
  const text = `update ${quoteIdentifier(schema)}.ledger l set before_exists = a.exists,
      before = case when a.exists then (${base} || a.changes || ${extra})::json end
    from unnest($1::uuid[], $2::bool[], $3::json[]::jsonb[], $4::json[]::jsonb[]) as a(event_id, exists, changes, extra)
    where l.event_id = a.event_id`;
  await db.query(text, [
    uuidArray(images.map((image) => image.eventId)),
    boolArray(images.map((image) => image.exists)),
    jsonArray(images.map((image) => JSON.stringify(image.changes))),
    jsonArray(images.map((image) => JSON.stringify(image.extra))),
  ]);
}

/**
 * Puts what the log says into the ledger: operation, and the JSON as it lies there (null for a tombstone). One row each;
 * what was pruned meanwhile stays empty.
 */
export async function correctData(
  db: Queryable,
  schema: string,
  corrections: ReadonlyMap<string, { readonly operation: string; readonly value: string | null }>,
): Promise<void> {
  if (corrections.size === 0) return;
  const text = `update ${quoteIdentifier(schema)}.ledger l set data = a.data, operation = a.operation
    from unnest($1::uuid[], $2::text[], $3::json[]) as a(event_id, operation, data)
    where l.event_id = a.event_id and l.data is not null`;
  await db.query(text, [
    uuidArray([...corrections.keys()]),
    textArray([...corrections.values()].map(({ operation }) => operation)),
    jsonArray([...corrections.values()].map(({ value }) => value)),
  ]);
}

/** Deletes rows of which the log knows nothing, by key, if it still knows nothing of them. Returns how many. */
export async function deleteUnknownRows(
  db: Queryable,
  schema: string,
  table: UsersTable,
  userIds: readonly string[],
): Promise<number> {
  if (userIds.length === 0) return 0;
  const key = quoteIdentifier(table.keyColumn);
  const text = `delete from ${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)} t
    where t.${key} = any ($1::${table.keyType}[])
      and not exists (select from ${quoteIdentifier(schema)}.ledger l where l.user_id = t.${key}::text)`;
  return (await db.query(text, [userIds])).rowCount ?? 0;
}
