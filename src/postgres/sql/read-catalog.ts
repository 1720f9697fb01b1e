import type { Queryable } from '../pool.ts';

/** A relation of the catalog by its name. */
export interface CatalogRelation {
  readonly oid: number;
  /** `r` table, `p` partitioned table, `v` view, `m` materialized view, `f` foreign table … (pg_class.relkind). */
  readonly kind: string;
  /** Other tables inherit from it. */
  readonly hasChildren: boolean;
}

/** A column as the catalog has it; domains are already followed down to their base type. */
export interface CatalogColumn {
  readonly name: string;
  /** The base type's own name (`int4`, `jsonb`, `_text`). */
  readonly baseType: string;
  readonly isBuiltIn: boolean;
  /** Qualified and quoted, of the base type, without modifiers. */
  readonly castType: string;
  /** As people write it (`character varying(20)`), for messages. */
  readonly shownType: string;
  readonly isArray: boolean;
  readonly isGenerated: boolean;
  readonly isIdentityAlways: boolean;
  readonly defaultExpression: string | null;
  readonly hasDeterministicCollation: boolean;
  /** It is the whole primary key. */
  readonly isPrimaryKey: boolean;
  /** A unique index of this column alone: valid, not partial, checked at once, by the column's own collation. */
  readonly hasUniqueIndex: boolean;
  /** Names of all unique indexes of this column alone, partial and deferrable ones too: what a violation is told by. */
  readonly uniqueIndexes: readonly string[];
}

/** Finds a relation; null where there is none of that name. */
export async function readRelation(
  db: Queryable,
  schema: string,
  name: string,
): Promise<CatalogRelation | null> {
  const { rows } = await db.query<CatalogRelation>(
    `select c.oid::int8::float8 as oid, c.relkind as kind,
       exists (select from pg_catalog.pg_inherits i where i.inhparent = c.oid) as "hasChildren"
     from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relname = $2`,
    [schema, name],
  );
  return rows[0] ?? null;
}

/**
 * Reads a table's columns in their order.
 *
 * A cast is written with the base type, qualified and without modifiers: a cast to `varchar(3)`, to a domain over it,
 * or to what format_type prints for `char(3)` (`character`, which means one character) would cut a value silently,
 * where the assignment to the column refuses it. An identity column's default is its sequence, which pg_attrdef does
 * not hold. A domain's default counts where the column has none.
 */
export async function readColumns(
  db: Queryable,
  relation: CatalogRelation,
): Promise<readonly CatalogColumn[]> {
  const { rows } = await db.query<CatalogColumn>(COLUMNS, [relation.oid]);
  return rows;
}

const COLUMNS = `
  with recursive base as (
    select a.attnum, t.oid, t.typtype, t.typbasetype
    from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
    where a.attrelid = $1::int8::oid and a.attnum > 0 and not a.attisdropped
    union all
    select base.attnum, t.oid, t.typtype, t.typbasetype
    from base join pg_catalog.pg_type t on t.oid = base.typbasetype where base.typtype = 'd'
  )
  select a.attname as name, t.typname as "baseType", n.nspname = 'pg_catalog' as "isBuiltIn",
    case when el.oid is null then pg_catalog.format('%I.%I', n.nspname, t.typname)
      else pg_catalog.format('%I.%I[]', eln.nspname, el.typname) end as "castType",
    pg_catalog.format_type(a.atttypid, a.atttypmod) as "shownType",
    el.oid is not null as "isArray",
    a.attgenerated <> '' as "isGenerated",
    a.attidentity = 'a' as "isIdentityAlways",
    case when a.attidentity <> '' then pg_catalog.format('nextval(%L::regclass)',
        pg_catalog.pg_get_serial_sequence(a.attrelid::regclass::text, a.attname))
      when a.attgenerated = '' then coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid),
        pg_catalog.pg_get_expr(own.typdefaultbin, 0)) end as "defaultExpression",
    coalesce(co.collisdeterministic, true) as "hasDeterministicCollation",
    exists (select from pg_catalog.pg_index i where i.indrelid = a.attrelid and i.indisprimary
      and i.indnkeyatts = 1 and i.indkey[0] = a.attnum) as "isPrimaryKey",
    exists (select from pg_catalog.pg_index i
      where i.indrelid = a.attrelid and i.indisunique and i.indisvalid and i.indisready and i.indimmediate
        and i.indpred is null and i.indnkeyatts = 1 and i.indkey[0] = a.attnum
        and i.indcollation[0] = a.attcollation) as "hasUniqueIndex",
    array(select ic.relname::text from pg_catalog.pg_index i join pg_catalog.pg_class ic on ic.oid = i.indexrelid
      where i.indrelid = a.attrelid and i.indisunique and i.indnkeyatts = 1 and i.indkey[0] = a.attnum
        and i.indcollation[0] = a.attcollation order by 1) as "uniqueIndexes"
  from pg_catalog.pg_attribute a
  join base b on b.attnum = a.attnum and b.typtype <> 'd'
  join pg_catalog.pg_type own on own.oid = a.atttypid
  join pg_catalog.pg_type t on t.oid = b.oid
  join pg_catalog.pg_namespace n on n.oid = t.typnamespace
  -- A true array: of variable length, with elements (name and point have elements, too).
  left join pg_catalog.pg_type el on t.typlen = -1 and t.typcategory = 'A' and el.oid = t.typelem
  left join pg_catalog.pg_namespace eln on eln.oid = el.typnamespace
  left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  left join pg_catalog.pg_collation co on co.oid = a.attcollation
  where a.attrelid = $1::int8::oid and a.attnum > 0 and not a.attisdropped
  order by a.attnum`;
