import type { UserColumn, UsersTable } from '../../domain/users-table.ts';
import type { UserWrite } from '../../domain/row-change.ts';
import { boolArray, int2Array, int8ArrayOfNumbers, maskArray, textArray } from '../binary-array.ts';
import { quoteIdentifier } from '../sql-text.ts';

/**
 * The part that every statement which executes events has in common: the users joined once, the before image made
 * where a write is, rows inserted, updated by mask, deleted (BATCH.md, 3). Static text, built once per table from
 * catalog identifiers; values only as parameters, one array a column.
 */
export interface UserWritesSql {
  /** Columns of `unnest`, behind the statement's own: `action`, `expects`, `mask`, `made_at`, `touched_at`, one per column. */
  readonly columnNames: string;
  /** The parameters' types, in that order: `$5::int2[]` and so on are numbered by the caller. */
  readonly parameterTypes: readonly string[];
  /** `left join lateral … u on true`: gives u.tid (ctid, null = no row) and u.before (json). Needs `b.user_id`. */
  readonly join: string;
  /** The CTEs `inserted`, `updated`, `deleted`; they read `batch`. */
  readonly writes: string;
  /** Aggregates over `batch`, for one pass: `is_stale`, `to_insert`, `to_update`, `to_delete`. */
  readonly summary: string;
  /** True where a trigger or policy silently kept a row from being written; reads the summary as `s`. */
  readonly isUnwritten: string;
  /** The arrays for `rows` places, most of them null. */
  parameters(rows: number, writes: readonly UserWrite[]): Buffer[];
}

const ACTION = { none: 0, insert: 1, update: 2, delete: 3, upsert: 4 } as const;

export function userWritesSql(table: UsersTable): UserWritesSql {
  const target = `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`;
  const key = quoteIdentifier(table.keyColumn);
  const names = table.columns.map((_, index) => `c${String(index)}`);
  return {
    columnNames: ['action', 'expects', 'mask', 'made_at', 'touched_at', ...names].join(', '),
    parameterTypes: ['int2[]', 'bool[]', 'int8[]', 'int8[]', 'int8[]', ...table.columns.map(() => 'text[]')],
    // The case keeps a key that is no number from being cast where nothing is written for it.
    join: `left join lateral (
      select t.ctid as tid, row_to_json(t) as before from ${target} t
      where t.${key} = case when b.action is not null then b.user_id::${table.keyType} end limit 1) u on true`,
    writes: writesSql(table, target, key),
    summary: `coalesce(bool_or(expects is not null and expects <> (tid is not null)), false) as is_stale,
      count(*) filter (where action = 1 or (action = 4 and tid is null)) as to_insert,
      count(*) filter (where tid is not null and action in (2, 4)) as to_update,
      count(*) filter (where tid is not null and action = 3) as to_delete`,
    isUnwritten: `s.to_insert <> (select count(*) from inserted) or s.to_update <> (select count(*) from updated)
      or s.to_delete <> (select count(*) from deleted)`,
    parameters: (rows, writes) => parameters(table, rows, writes),
  };
}

function writesSql(table: UsersTable, target: string, key: string): string {
  const columns = [key, ...table.columns.map((column) => quoteIdentifier(column.name))];
  const inserted = [
    `b.user_id::${table.keyType}`,
    ...table.columns.map((column, i) => insertValue(table, column, i)),
  ];
  const assignments = table.columns.map(
    (column, i) => `${quoteIdentifier(column.name)} = ${updateValue(table, column, i)}`,
  );
  for (const stamp of [table.createdColumn, table.updatedColumn]) {
    if (stamp === null) continue;
    columns.push(quoteIdentifier(stamp));
    // The event's own time, so that every service has the same.
    inserted.push(`to_timestamp(${stamp === table.updatedColumn ? 'b.touched_at' : 'b.made_at'} / 1000.0)`);
  }
  if (table.updatedColumn !== null) {
    assignments.push(`${quoteIdentifier(table.updatedColumn)} = to_timestamp(b.touched_at / 1000.0)`);
  }
  // A table of a key alone has nothing to set; the key is set to itself so that the statement stays one shape.
  if (assignments.length === 0) assignments.push(`${key} = u.${key}`);
  return `inserted as (
    insert into ${target} as u (${columns.join(', ')})
    select ${inserted.join(', ')} from batch b
    where b.action = 1 or (b.action = 4 and b.tid is null) order by b.user_id returning 1),
  updated as (
    update ${target} u set ${assignments.join(', ')}
    from batch b where b.action in (2, 4) and u.ctid = b.tid returning 1),
  deleted as (
    delete from ${target} u using batch b where b.action = 3 and u.ctid = b.tid returning 1)`;
}

function isCarried(index: number): string {
  return `b.mask & ${String(2n ** BigInt(index))} <> 0`;
}

function insertValue(table: UsersTable, column: UserColumn, index: number): string {
  const fallback = column.defaultExpression ?? `null::${column.castType}`;
  const value = `b.c${String(index)}::${column.castType}`;
  const carried = column.name === table.extraColumn ? `coalesce(${fallback}, '{}') || ${value}` : value;
  return `case when ${isCarried(index)} then ${carried} else ${fallback} end`;
}

function updateValue(table: UsersTable, column: UserColumn, index: number): string {
  const now = `u.${quoteIdentifier(column.name)}`;
  const value = `b.c${String(index)}::${column.castType}`;
  const carried = column.name === table.extraColumn ? `coalesce(${now}, '{}') || ${value}` : value;
  return `case when ${isCarried(index)} then ${carried} else ${now} end`;
}

function parameters(table: UsersTable, rows: number, writes: readonly UserWrite[]): Buffer[] {
  const actions = new Array<number | null>(rows).fill(null);
  const expects = new Array<boolean | null>(rows).fill(null);
  const madeAt = new Array<number | null>(rows).fill(null);
  const touchedAt = new Array<number | null>(rows).fill(null);
  const carried = new Array<readonly unknown[] | null>(rows).fill(null);
  const columns = table.columns.map(() => new Array<string | null>(rows).fill(null));
  const extraIndex = table.columns.findIndex((column) => column.name === table.extraColumn);
  for (const write of writes) {
    actions[write.at] = ACTION[write.action];
    expects[write.at] = write.expects;
    madeAt[write.at] = write.madeAt;
    touchedAt[write.at] = write.touchedAt;
    const texts = write.extra === null ? write.texts : withExtra(write, extraIndex);
    carried[write.at] = texts;
    for (let index = 0; index < texts.length; index++) {
      const text = texts[index];
      const column = columns[index];
      if (text !== undefined && column !== undefined) column[write.at] = text;
    }
  }
  return [
    int2Array(actions),
    boolArray(expects),
    maskArray(carried),
    int8ArrayOfNumbers(madeAt),
    int8ArrayOfNumbers(touchedAt),
    ...columns.map((values) => textArray(values)),
  ];
}

function withExtra(write: UserWrite, extraIndex: number): (string | null | undefined)[] {
  const texts = write.texts.slice();
  texts[extraIndex] = JSON.stringify(write.extra);
  return texts;
}
