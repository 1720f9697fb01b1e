import type { Rules } from '../../domain/event.ts';
import { fieldNamesOf, type UsersTable } from '../../domain/users-table.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier, quoteLiteral } from '../sql-text.ts';

/** Users whose ids lie in (after, upTo], in the ledger's own order; null = from the first, to the last. */
export interface UserRange {
  readonly after: string | null;
  readonly upTo: string | null;
}

export interface Suspects {
  /** Users with an applied event in the range, and their applied events. */
  readonly users: number;
  readonly events: number;
  /** Users whose rows may differ from the fold: to be folded exactly. */
  readonly suspects: readonly string[];
  /** Users of whose applied events the ledger has lost what they carried, though they were not pruned. */
  readonly gone: readonly string[];
}

/**
 * Where the next portion of about `ledgerRows` rows of the ledger ends: a user id; null where the rest is less. Reads the
 * index `ledger_user` alone. A user is never cut in two.
 */
export async function endOfPortion(
  db: Queryable,
  schema: string,
  after: string | null,
  ledgerRows: number,
): Promise<string | null> {
  const text = `select user_id from ${quoteIdentifier(schema)}.ledger
    where user_id is not null and ($1::text is null or user_id > $1) order by user_id offset $2 limit 1`;
  const { rows } = await db.query<{ user_id: string }>(text, [after, ledgerRows]);
  return rows[0]?.user_id ?? null;
}

/**
 * Folds the applied events of a range of users in SQL, set-based, and compares with their rows. It is sound, not exact:
 * whoever is not named has the row that the fold from the first image makes (on what events carried); whoever is named
 * is to be looked at with the domain's own fold. Named are also users with rollbacks, since what stands is the domain's
 * to say, and whoever's events use two names of one column. Needs `prepareFold` on the connection. No locks.
 */
export async function findSuspects(
  db: Queryable,
  schema: string,
  table: UsersTable,
  rules: Rules,
  range: UserRange,
): Promise<Suspects> {
  const { rows } = await db.query<{
    users: bigint;
    events: bigint | null;
    suspects: string[];
    gone: string[];
  }>(suspectsSql(schema, table, rules), [range.after, range.upTo]);
  const [row] = rows;
  return {
    users: Number(row?.users ?? 0),
    events: Number(row?.events ?? 0),
    suspects: row?.suspects ?? [],
    gone: row?.gone ?? [],
  };
}

/** The same answer with every user of the range suspect: for a range that SQL cannot fold. */
export async function usersOfRange(db: Queryable, schema: string, range: UserRange): Promise<Suspects> {
  const text = `select user_id, count(*) as events from ${quoteIdentifier(schema)}.ledger
    where user_id is not null and ($1::text is null or user_id > $1) and ($2::text is null or user_id <= $2)
      and status = 'applied' and operation <> 'rollback' group by user_id order by user_id`;
  const { rows } = await db.query<{ user_id: string; events: bigint }>(text, [range.after, range.upTo]);
  const events = rows.reduce((sum, row) => sum + Number(row.events), 0);
  return { users: rows.length, events, suspects: rows.map((row) => row.user_id), gone: [] };
}

/**
 * The aggregate that `findSuspects` folds with, in this session's own schema (null of nothing: it begins with the first
 * document rather than with an empty one); the plan that streams along the index.
 */
export async function prepareFold(db: Queryable): Promise<void> {
  await db.query(`set local jit = off; set local max_parallel_workers_per_gather = 0;
    create or replace aggregate pg_temp.merged(jsonb) (sfunc = jsonb_concat, stype = jsonb)`);
}

function suspectsSql(schema: string, table: UsersTable, rules: Rules): string {
  const target = `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`;
  const key = quoteIdentifier(table.keyColumn);
  const columns = new Set(table.columns.map(({ name }) => name));
  const aliases = table.columns.flatMap(({ name }) =>
    fieldNamesOf(name)
      .filter((alias) => alias !== name && !columns.has(alias) && name !== table.extraColumn)
      .map((alias) => ({ name: quoteLiteral(name), alias: quoteLiteral(alias) })),
  );
  const twice = aliases.map(({ name, alias }) => `(m ? ${name} and m ? ${alias})`);
  const isUnsure = [
    'has_rollback',
    'is_gone',
    'has_extra_base',
    'base_exists is null',
    'may_be_idle',
    ...twice,
    ...extraUnsure(table),
    ...numbersUnsure(table),
  ];
  const byColumn = aliases.map(
    ({ name, alias }) => `case when m ? ${alias} then jsonb_build_object(${name}, m->${alias}) else '{}' end`,
  );
  const isThere = `t.${key} is not null`;
  const isOther = `jsonb_populate_record(t."whole row", ${['m', ...byColumn].join(' || ')}) *<> t."whole row"`;
  // Each row by its key, whatever the planner thinks of a portion (`offset 0` keeps it from being taken apart): it read the
  // whole table for every one of them.
  return `${foldSql(schema, rules)}
    select count(*) filter (where p.events > 0) as users,
      coalesce(array_agg(p.user_id) filter (where is_gone), '{}') as gone, sum(p.events)::int8 as events,
      coalesce(array_agg(p.user_id) filter (where ${isUnsure.join(' or ')}
        or p.exists <> (${isThere}) or (p.exists and (${[isOther, ...extraDiffers(table, columns)].join(' or ')}))), '{}') as suspects
    from person p left join lateral (select u.*, u as "whole row" from ${target} u where u.${key} = p.user_id::${table.keyType} offset 0) t on true`;
}

/**
 * `person`: per user of the range ($1, $2] what the applied events since the last delete merge to (`m`), over the base
 * that pruning kept, and what they began on. One pass in the index's order, since window functions took twice as long;
 * only users with a delete are merged a second time, from there on (without a join: it would be begun for every user).
 */
function foldSql(schema: string, rules: Rules): string {
  const name = quoteIdentifier(schema);
  const first = (value: string): string =>
    `(array_agg(${value} order by generation, "offset") filter (where is_applied))[1]`;
  // By lenient rules an update of a user who is not there has no effect.
  const idle =
    rules === 'strict' ? 'false' : `${first('operation')} = 'update' or bool_or(operation = 'delete')`;
  return `with entry as (
      select l.*, l.status = 'applied' and l.operation <> 'rollback'
          and (b.user_id is null or (l.generation, l."offset") > (b.generation, b."offset")) as is_applied
      from ${name}.ledger l left join ${name}.base b on b.user_id = l.user_id
      where l.user_id is not null and ($1::text is null or l.user_id > $1) and ($2::text is null or l.user_id <= $2)),
    merged as (
      select user_id, count(*) filter (where is_applied) as events,
        bool_or(status = 'rolled_back' or operation = 'rollback') as has_rollback,
        pg_temp.merged(data::jsonb order by generation, "offset") filter (where is_applied and operation <> 'delete') as all_m,
        max(array[generation::int8, "offset"]) filter (where is_applied and operation = 'delete') as deleted_at,
        ${first('before_exists')} as before_exists, ${idle} as may_be_idle,
        bool_or(is_applied and operation in ('create', 'put')) as is_made,
        bool_or(is_applied and data is null and operation <> 'delete') as is_gone
      from entry group by user_id),
    reborn as (
      select f.*, case when f.deleted_at is not null then (
          select pg_temp.merged(e.data::jsonb order by e.generation, e."offset")
          from ${name}.ledger e where e.user_id = f.user_id and e.status = 'applied' and e.operation <> 'rollback'
            and (e.generation, e."offset") > (f.deleted_at[1], f.deleted_at[2])) end as later_m
      from merged f offset 0),
    person as (
      select f.*, coalesce(b.extra::text <> '{}', false) as has_extra_base,
        case when f.deleted_at is null then coalesce(b.changes::jsonb, '{}') || coalesce(f.all_m, '{}')
          else coalesce(f.later_m, '{}') end as m,
        case when f.deleted_at is null then coalesce(b."exists", before_exists) else false end as base_exists,
        case when f.deleted_at is null then coalesce(b."exists", before_exists, false) or is_made
          else f.later_m is not null end as exists
      from reborn f left join ${name}.base b on b.user_id = f.user_id
      where f.events > 0 or f.has_rollback or b."exists" is not null)`;
}

/** The extra column is merged key by key: where events name it, or an image has it, the domain's fold is asked. */
function extraUnsure(table: UsersTable): readonly string[] {
  if (table.extraColumn === null) return [];
  const own = fieldNamesOf(table.extraColumn).map((name) => `m ? ${quoteLiteral(name)}`);
  return [...own, `(base_exists and ${extraOf(table)} <> '{}')`];
}

/** Types in which two ways to write a number are one value. */
const NUMBER_TYPES: ReadonlySet<string> = new Set([
  ...['int2', 'int4', 'int8', 'numeric', 'float4', 'float8'],
  ...['smallint', 'integer', 'bigint', 'real', 'double precision'],
]);

/** A number that a column keeps as text is written as the domain prints it (1.0 as 1), which SQL does not. */
function numbersUnsure(table: UsersTable): readonly string[] {
  return table.columns
    .filter(({ form, castType }) => form !== 'json' && !NUMBER_TYPES.has(castType))
    .flatMap(({ name }) => fieldNamesOf(name).map((field) => `m->${quoteLiteral(field)}`))
    .map(
      (value) => `(jsonb_typeof(${value}) in ('number', 'array') and (${value})::text ~ '[.eE]|[0-9]{16}')`,
    );
}

function extraDiffers(table: UsersTable, columns: ReadonlySet<string>): readonly string[] {
  if (table.extraColumn === null || !columns.has(table.extraColumn)) return [];
  const now = `coalesce(t.${quoteIdentifier(table.extraColumn)}, '{}')::jsonb`;
  // Mostly they are the same: then nothing has to be merged.
  return [`(${extraOf(table)} <> ${now} and ${now} || ${extraOf(table)} <> ${now})`];
}

/** What the merged fields have beyond the table's columns. */
function extraOf(table: UsersTable): string {
  const known = ['userId', ...table.columns.flatMap(({ name }) => fieldNamesOf(name))];
  return `(m - array[${known.map(quoteLiteral).join(', ')}])`;
}
