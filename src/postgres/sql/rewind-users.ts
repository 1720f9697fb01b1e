import type { JsonObject } from '../../domain/event.ts';
import type { UserColumn, UsersTable } from '../../domain/users-table.ts';
import { boolArray, jsonArray, textArray, uuidArray } from '../binary-array.ts';
import { quoteIdentifier, type Queryable } from '../pool.ts';

/** What the ledger says a user's row is now: the before image of `imageOf`, and what was applied since. */
export interface ExpectedRow {
  readonly userId: string;
  /** The event whose before image is the base; null where the row was made since (its base is nothing). */
  readonly imageOf: string | null;
  readonly exists: boolean;
  /** Column → value as the events carried it. */
  readonly changes: JsonObject;
  /** What was merged into the extra column. */
  readonly extra: JsonObject;
  /** Columns that some event of this user has carried: the ones that are compared. */
  readonly carried: readonly string[];
}

/** A user whose row is not what the ledger says. `columns` names what differs; empty where the row itself is missing or extra. */
export interface Drift {
  readonly userId: string;
  readonly isThere: boolean;
  readonly columns: readonly string[];
}

/**
 * Compares rows with the ledger, on the columns that this user's events have carried (DESIGN 5, ADR 0005). Returns those
 * that drifted. A row made since the image is compared on what was set since: the rest were defaults. No locks.
 */
export async function findDrift(
  db: Queryable,
  schema: string,
  table: UsersTable,
  expected: readonly ExpectedRow[],
): Promise<readonly Drift[]> {
  const target = `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`;
  const key = quoteIdentifier(table.keyColumn);
  const differences = table.columns.map((column) => difference(column, column.name === table.extraColumn));
  // Populated over the row itself: a column that the image does not know (it was added since) counts as unchanged.
  const text = `select a.user_id as "userId", t.${key} is not null as "isThere",
      case when a.exists and t.${key} is not null then array_remove(array[${differences.join(', ') || 'null'}]::text[], null)
        else '{}' end as columns
    from unnest($1::text[], $2::uuid[], $3::bool[], $4::json[], $5::json[], $6::json[])
      as a(user_id, image_of, exists, changes, extra, carried)
    left join ${quoteIdentifier(schema)}.ledger l on l.event_id = a.image_of
    left join ${target} t on t.${key} = a.user_id::${table.keyType}
    cross join lateral jsonb_populate_record(t, coalesce(l.before::jsonb, '{}') || a.changes::jsonb) e`;
  const { rows } = await db.query<Drift>(text, [
    textArray(expected.map((row) => row.userId)),
    uuidArray(expected.map((row) => row.imageOf)),
    boolArray(expected.map((row) => row.exists)),
    jsonArray(expected.map((row) => JSON.stringify(row.changes))),
    jsonArray(expected.map((row) => JSON.stringify(row.extra))),
    jsonArray(expected.map((row) => JSON.stringify(row.carried))),
  ]);
  const wanted = new Map(expected.map((row) => [row.userId, row.exists]));
  return rows.filter((row) => row.isThere !== wanted.get(row.userId) || row.columns.length > 0);
}

function difference({ name: raw, form }: UserColumn, isExtra: boolean): string {
  const name = quoteIdentifier(raw);
  const as = form === 'json' ? '::jsonb::text' : '::text';
  const differs = isExtra
    ? `case when a.image_of is null then not (coalesce(t.${name}, '{}')::jsonb @> a.extra::jsonb)
         else (coalesce(e.${name}, '{}')::jsonb || a.extra::jsonb) is distinct from coalesce(t.${name}, '{}')::jsonb end`
    : `(a.image_of is not null or a.changes::jsonb ? ${literal(raw)}) and e.${name}${as} is distinct from t.${name}${as}`;
  return `case when a.carried::jsonb ? ${literal(raw)} and ${differs} then ${literal(raw)} end`;
}

/** A name inside the static text; names come from the catalog. */
function literal(name: string): string {
  return `'${name.replaceAll("'", "''")}'`;
}

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
    : `case when a.before::jsonb ? ${literal(name)} then ${value} else ${fallback} end`;
}
