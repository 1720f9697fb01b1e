import type { Rules } from '../../domain/event.ts';
import { fieldNamesOf, type UsersTable } from '../../domain/users-table.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier, quoteLiteral } from '../sql-text.ts';

/** Users whose ids lie in (after, upTo], in the ledger's own order; null = from the first, to the last. */
export interface UserRange {
  readonly after: string | null;
  readonly upTo: string | null;
}

/** Where a portion ends. */
export interface PortionEnd {
  /** The last user; null = to the last one of all. */
  readonly upTo: string | null;
  /** `upTo` alone has more rows than a portion has. */
  readonly isLong: boolean;
}

export interface Suspects {
  /** Users of the range with an applied event, pruned or not, and the applied events that were folded: those not pruned. */
  readonly users: number;
  readonly events: number;
  /** Users whose rows may differ from the fold: to be folded exactly. */
  readonly suspects: readonly string[];
  /** Users of whose applied events the ledger has lost what they carried, though they were not pruned. */
  readonly gone: readonly string[];
}

/**
 * Where the next portion of about `ledgerRows` rows of the ledger ends; the rest is less where it ends with the last user
 * of all. Reads the index `ledger_user` alone. A user is never cut in two.
 */
export async function endOfPortion(
  db: Queryable,
  schema: string,
  after: string | null,
  ledgerRows: number,
): Promise<PortionEnd> {
  const ledger = `${quoteIdentifier(schema)}.ledger`;
  const text = `select l.user_id as "upTo",
      exists (select from ${ledger} own where own.user_id = l.user_id offset $2) as "isLong"
    from (select user_id from ${ledger} where user_id is not null and ($1::text is null or user_id > $1)
      order by user_id offset $2 limit 1) l`;
  const { rows } = await db.query<PortionEnd>(text, [after, ledgerRows]);
  return rows[0] ?? { upTo: null, isLong: false };
}

/**
 * Folds the applied events of a range of users in SQL, set-based, and compares with their rows. It is sound, not exact:
 * whoever is not named has the row that the fold from the first image makes (on what events carried); whoever is named
 * is to be looked at with the domain's own fold. `long`: the user of the range who has more rows than a portion, if one has.
 * Named are also users with rollbacks, since what stands is the domain's
 * to say, and whoever's events use two names of one column. Needs `prepareFold` on the connection. No locks.
 */
export async function findSuspects(
  db: Queryable,
  schema: string,
  table: UsersTable,
  rules: Rules,
  range: UserRange,
  long: string | null,
): Promise<Suspects> {
  const { rows } = await db.query<{
    users: bigint;
    events: bigint | null;
    suspects: string[];
    gone: string[];
  }>(suspectsSql(schema, table, rules), [range.after, range.upTo, long]);
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
 * The aggregate that `findSuspects` folds long histories with, in this session's own schema (null of nothing: it begins with the first
 * document rather than with an empty one); the plan that streams along the index.
 */
export async function prepareFold(db: Queryable): Promise<void> {
  await db.query(`set local max_parallel_workers_per_gather = 0;
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
    select count(*) filter (where p.events > 0 or p.is_pruned) as users,
      coalesce(array_agg(p.user_id) filter (where is_gone), '{}') as gone, sum(p.events)::int8 as events,
      coalesce(array_agg(p.user_id) filter (where ${isUnsure.join(' or ')}
        or p.exists <> (${isThere}) or (p.exists and (${[isOther, ...extraDiffers(table, columns)].join(' or ')}))), '{}') as suspects
    from person p left join lateral (select u.*, u as "whole row" from ${target} u where u.${key} = p.user_id::${table.keyType} offset 0) t on true`;
}

/**
 * `person`: per user of the range ($1, $2] what the applied events since the last delete merge to (`m`), over the base
 * that pruning kept, and what they began on. One pass: each user's events are written one behind the other, as marks (two
 * letters an event: what it is and whether there was a row before it) and as one text of their JSON objects, which is
 * parsed once: of a key that comes several times jsonb keeps the last. Merged document by document it took half as long
 * again. Control characters divide and mark that text: JSON has none but in escapes. Subqueries end with `offset 0` where
 * their columns are used more than once: else they are worked out for each use.
 */
function foldSql(schema: string, rules: Rules): string {
  const name = quoteIdentifier(schema);
  // By lenient rules an update of a user who is not there has no effect.
  const idle = rules === 'strict' ? 'false' : `left(marks, 1) = 'u' or is_deleted`;
  return `with entry as (
      select l.user_id, l.generation, l."offset", ${markSql()} as mark,
        case when ${IS_PASSED} or l.user_id = $3 then null
          when l.operation = 'delete' then ${DELETED} else nullif(l.data::text, '{}') end as text
      from ${name}.ledger l left join ${name}.base b on b.user_id = l.user_id
      where l.user_id is not null and ($1::text is null or l.user_id > $1) and ($2::text is null or l.user_id <= $2) offset 0),
    joined as (
      select user_id, coalesce(string_agg(mark, '' order by generation, "offset"), '') as marks,
        string_agg(text, ${NEXT} order by generation, "offset") as texts
      from entry group by user_id),
    read as (
      select user_id, marks, substr(marks, 2, 1) as before, position('d' in marks) > 0 as is_deleted,
        case when position('d' in marks) > 0 then regexp_replace(texts, '^.*\\x02(\\x01|$)', '') else texts end as texts
      from joined offset 0),
    merged as (
      select f.*, case when f.user_id = $3 then (${mergedSql(name)})
          else nullif(replace(replace(f.texts, e'\\n' || ${NEXT}, ${NEXT}), '}' || ${NEXT} || '{', ','), '')::jsonb end as own
      from read f offset 0),
    person as (
      select f.user_id, length(replace(marks, 'rR', '')) / 2 as events, position('r' in marks) > 0 as has_rollback,
        position('g' in marks) > 0 as is_gone, b."exists" is not null as is_pruned, coalesce(b.extra::text <> '{}', false) as has_extra_base,
        case when is_deleted or b.changes is null then coalesce(own, '{}') else b.changes::jsonb || coalesce(own, '{}') end as m,
        case when is_deleted then false else coalesce(b."exists", case before when 'T' then true when 'F' then false end) end as base_exists,
        case when is_deleted then own is not null
          else coalesce(b."exists", before = 'T') or position('c' in marks) > 0 or position('p' in marks) > 0 end as exists,
        ${idle} as may_be_idle
      from merged f left join ${name}.base b on b.user_id = f.user_id
      where marks <> '' or b."exists" is not null offset 0)`;
}

/** Between two events of a text, and in the place of a delete. */
const [NEXT, DELETED] = ['chr(1)', 'chr(2)'];

/** Whether a ledger row `l` has no part in the fold: not applied, or in the base `b` already. */
const IS_PASSED = `l.status <> 'applied' or (b.user_id is not null and (l.generation, l."offset") <= (b.generation, b."offset"))`;

/** What it is (g: its data is gone) and whether there was a row before: T, F, N (not kept). rR: a rollback, or withdrawn. */
function markSql(): string {
  const whole = (letter: string): string => `case when l.data is null then 'g' else '${letter}' end`;
  return `case when l.status = 'rolled_back' or l.operation = 'rollback' then 'rR'
      when ${IS_PASSED} then null
      else case l.operation when 'update' then ${whole('u')} when 'create' then ${whole('c')} when 'put' then ${whole('p')}
          when 'delete' then 'd' end
        || case l.before_exists when true then 'T' when false then 'F' else 'N' end end`;
}

/** The same document of one user `f` whose events are too many for a text: merged one by one, in no more memory than it. */
function mergedSql(name: string): string {
  return `select pg_temp.merged(e.data::jsonb order by e.generation, e."offset") from ${name}.ledger e
    where e.user_id = f.user_id and e.status = 'applied' and e.operation not in ('rollback', 'delete')
      and (e.generation, e."offset") > (select generation, "offset" from (
          select generation, "offset" from ${name}.ledger d
          where d.user_id = f.user_id and d.status = 'applied' and d.operation = 'delete'
          union all select -1, -1) begin order by generation desc, "offset" desc limit 1)`;
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
