import type { JsonObject } from '../../domain/event.ts';
import type { UserColumn, UsersTable } from '../../domain/users-table.ts';
import { boolArray, jsonArray, textArray, uuidArray } from '../binary-array.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier, quoteLiteral } from '../sql-text.ts';

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

/** A user whose row is not what the ledger says. */
export interface Drift {
  readonly userId: string;
  readonly isThere: boolean;
  /** What differs, column by column; empty where the row itself is missing or extra. */
  readonly columns: readonly DriftedColumn[];
}

export interface DriftedColumn {
  readonly column: string;
  /** As PostgreSQL prints them; null = NULL. */
  readonly ledger: string | null;
  readonly row: string | null;
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
      case when a.exists and t.${key} is not null then array_remove(array[${differences.join(', ') || 'null'}]::jsonb[], null)
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
    ? `case when a.image_of is null
         then coalesce(t.${name}, '{}')::jsonb || a.extra::jsonb is distinct from coalesce(t.${name}, '{}')::jsonb
         else (coalesce(e.${name}, '{}')::jsonb || a.extra::jsonb) is distinct from coalesce(t.${name}, '{}')::jsonb end`
    : `(a.image_of is not null or a.changes::jsonb ? ${quoteLiteral(raw)}) and e.${name}${as} is distinct from t.${name}${as}`;
  const ledger = isExtra ? `(coalesce(e.${name}, '{}')::jsonb || a.extra::jsonb)::text` : `e.${name}::text`;
  return `case when a.carried::jsonb ? ${quoteLiteral(raw)} and ${differs}
    then jsonb_build_object('column', ${quoteLiteral(raw)}, 'ledger', ${ledger}, 'row', t.${name}::text) end`;
}
