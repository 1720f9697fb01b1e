import type { JsonObject } from '../../domain/event.ts';
import type { UsersTable } from '../../domain/users-table.ts';
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
}

/** A user whose row is not what the ledger says. `columns` names what differs; empty where the row itself is missing or extra. */
export interface Drift {
  readonly userId: string;
  readonly isThere: boolean;
  readonly columns: readonly string[];
}

/**
 * Compares rows with the ledger, on the columns that events can carry (DESIGN 5). Returns those that drifted. A row
 * made since the image is compared on what its events carried: the rest were defaults. No locks.
 */
export async function findDrift(
  db: Queryable,
  schema: string,
  table: UsersTable,
  expected: readonly ExpectedRow[],
): Promise<readonly Drift[]> {
  const target = `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`;
  const differences = table.columns.map((column) => {
    const name = quoteIdentifier(column.name);
    const isExtra = column.name === table.extraColumn;
    const carried = `(a.image_of is not null or a.changes::jsonb ? ${literal(column.name)})`;
    const as = column.form === 'json' ? '::jsonb::text' : '::text';
    const differs = isExtra
      ? `case when a.image_of is null then not (coalesce(t.${name}, '{}')::jsonb @> a.extra::jsonb)
           else (coalesce(e.${name}, '{}')::jsonb || a.extra::jsonb) is distinct from coalesce(t.${name}, '{}')::jsonb end`
      : `${carried} and e.${name}${as} is distinct from t.${name}${as}`;
    return `case when ${differs} then ${literal(column.name)} end`;
  });
  const text = `select a.user_id as "userId", k.key is not null as "isThere",
      case when a.exists and k.key is not null then array_remove(array[${differences.join(', ') || 'null'}]::text[], null)
        else '{}' end as columns
    from unnest($1::text[], $2::uuid[], $3::bool[], $4::json[], $5::json[]) as a(user_id, image_of, exists, changes, extra)
    left join ${quoteIdentifier(schema)}.ledger l on l.event_id = a.image_of
    cross join lateral jsonb_populate_record(null::${target}, coalesce(l.before::jsonb, '{}') || a.changes::jsonb) e
    left join lateral (select t.${quoteIdentifier(table.keyColumn)} as key, t.* from ${target} t
      where t.${quoteIdentifier(table.keyColumn)} = a.user_id::${table.keyType}) t on true
    cross join lateral (select t.key) k`;
  const { rows } = await db.query<Drift & { isThere: boolean }>(text, [
    textArray(expected.map((row) => row.userId)),
    uuidArray(expected.map((row) => row.imageOf)),
    boolArray(expected.map((row) => row.exists)),
    jsonArray(expected.map((row) => JSON.stringify(row.changes))),
    jsonArray(expected.map((row) => JSON.stringify(row.extra))),
  ]);
  const wanted = new Map(expected.map((row) => [row.userId, row.exists]));
  return rows.filter((row) => row.isThere !== wanted.get(row.userId) || row.columns.length > 0);
}

/** A name inside the static text; names come from the catalog. */
function literal(name: string): string {
  return `'${name.replaceAll("'", "''")}'`;
}

/**
 * Sets users' rows back to the before images of the events named: deletes, updates or inserts at most one row each.
 * A row that is there keeps the columns that no event carries; a row that is gone comes back whole.
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
  const whole = table.writableColumns.map(quoteIdentifier);
  const sets =
    carried.length === 0
      ? `${key} = u.${key}`
      : `(${carried.join(', ')}) = (select ${carried.map((name) => `r.${name}`).join(', ')} from json_populate_record(null::${target}, a.before) r)`;
  const text = `with asked as (
      select a.user_id::${table.keyType} as user_key, l.before, l.before_exists
      from unnest($1::text[], $2::uuid[]) as a(user_id, image_of) join ${quoteIdentifier(schema)}.ledger l on l.event_id = a.image_of),
    deleted as (delete from ${target} u using asked a where u.${key} = a.user_key and not a.before_exists),
    updated as (update ${target} u set ${sets} from asked a where u.${key} = a.user_key and a.before_exists)
    insert into ${target} (${whole.join(', ')}) overriding system value
    select ${whole.map((name) => `r.${name}`).join(', ')} from asked a
    cross join lateral json_populate_record(null::${target}, a.before) r
    where a.before_exists and not exists (select from ${target} u where u.${key} = a.user_key)`;
  await db.query(text, [
    textArray(rewinds.map((rewind) => rewind.userId)),
    uuidArray(rewinds.map((rewind) => rewind.imageOf)),
  ]);
}
