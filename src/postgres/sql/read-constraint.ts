import type { UsersTable } from '../../domain/users-table.ts';
import { describeSqlError } from '../errors.ts';
import type { PoolClient, Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';
import { savepoint } from '../transaction.ts';

/** A constraint, or a unique index, as the catalog has it now. */
export interface ConstraintDefinition {
  readonly name: string;
  /** As PostgreSQL writes it: `CHECK (age > 0)`, `UNIQUE (email)`, `CREATE UNIQUE INDEX …`. */
  readonly definition: string;
  /** The columns it is about; empty where it is about expressions. */
  readonly columns: readonly string[];
  readonly isUnique: boolean;
}

/** Looks up what a constraint says. Null where the table has none of that name (any more). No locks. */
export async function readConstraint(
  db: Queryable,
  place: { readonly schema: string; readonly table: string; readonly constraint: string },
): Promise<ConstraintDefinition | null> {
  // A partial index, or one on expressions, holds more than equality of columns: it has none here.
  const text = `select $3::text as name, coalesce(co.definition, pg_catalog.pg_get_indexdef(i.indexrelid)) as definition,
      coalesce(co.contype in ('u', 'p'), i.indisunique) as "isUnique",
      array(select a.attname::text from unnest(coalesce(co.conkey, case when i.indpred is null and i.indexprs is null then i.indkey::int2[] end))
        with ordinality k(num, at) join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = k.num order by k.at) as columns
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    left join lateral (select o.*, pg_catalog.pg_get_constraintdef(o.oid) as definition
      from pg_catalog.pg_constraint o where o.conrelid = c.oid and o.conname = $3) co on true
    left join lateral (select x.* from pg_catalog.pg_index x join pg_catalog.pg_class ic on ic.oid = x.indexrelid
      where x.indrelid = c.oid and ic.relname = $3) i on true
    where n.nspname = $1 and c.relname = $2 and (co.oid is not null or i.indexrelid is not null)`;
  const values = [place.schema, place.table, place.constraint];
  return (await db.query<ConstraintDefinition>(text, values)).rows[0] ?? null;
}

/** The names of the constraints and unique indexes of a table that any of the columns is part of. No locks. */
export async function constraintsOn(
  db: Queryable,
  place: { readonly schema: string; readonly table: string },
  columns: readonly string[],
): Promise<readonly string[]> {
  const text = `with asked as (
      select c.oid, a.attnum from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = any ($3::text[]) and not a.attisdropped
      where n.nspname = $1 and c.relname = $2)
    select o.conname::text as name from asked join pg_catalog.pg_constraint o on o.conrelid = asked.oid and asked.attnum = any (o.conkey)
    union select ic.relname::text from asked join pg_catalog.pg_index i on i.indrelid = asked.oid and asked.attnum = any (i.indkey::int2[])
      join pg_catalog.pg_class ic on ic.oid = i.indexrelid where i.indisunique`;
  const { rows } = await db.query<{ name: string }>(text, [place.schema, place.table, columns]);
  return rows.map(({ name }) => name);
}

/**
 * The user whose row has these values: who is in the way of a unique constraint. Null where nobody has them (any more),
 * or they cannot be asked for. Runs behind a savepoint: a value that its column cannot be does not abort the
 * transaction. No locks.
 */
export async function findHolder(
  client: PoolClient,
  table: UsersTable,
  values: ReadonlyMap<string, string>,
): Promise<string | null> {
  const types = new Map(table.columns.map(({ name, castType }) => [name, castType]));
  const conditions = [...values.keys()].map((column, at) => {
    const type = column === table.keyColumn ? table.keyType : types.get(column);
    return type === undefined ? 'false' : `t.${quoteIdentifier(column)} = $${String(at + 1)}::text::${type}`;
  });
  const text = `select t.${quoteIdentifier(table.keyColumn)}::text as "userId"
    from ${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)} t where ${conditions.join(' and ')} limit 1`;
  try {
    const { rows } = await savepoint(client, () =>
      client.query<{ userId: string }>(text, [...values.values()]),
    );
    return rows[0]?.userId ?? null;
  } catch (error) {
    // Class 22: no value of the column's type. 42883: the type has no equality.
    const state = describeSqlError(error).sqlState ?? '';
    if (state.startsWith('22') || state === '42883') return null;
    throw error;
  }
}
