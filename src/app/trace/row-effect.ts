import { isEventError, setOwn, type ColumnMapper } from '../../domain/column-values.ts';
import type { JsonObject, JsonValue } from '../../domain/event.ts';
import { ledgerRow } from '../../domain/expected-row.ts';
import type { HistoryEntry } from '../../domain/history.ts';
import { isJsonObject } from '../../domain/parse-json.ts';
import { RawJson } from '../../domain/raw-json.ts';
import type { RowTexts } from '../../postgres/sql/read-event.ts';

/** A row on the columns that events can carry. */
export type Row = Readonly<Record<string, RawJson>>;

/** A column that is shown, before and after the event. Of the extra column each key that it carries is one: `extra.key`. */
export interface FieldEffect {
  readonly field: string;
  /** Undefined: not there, or not known. */
  readonly before?: RawJson;
  readonly after?: RawJson;
  readonly isCarried: boolean;
  readonly isChanged: boolean;
  /** Why the event's value has no place in the row. */
  readonly fault?: string;
}

export interface RowEffect {
  /**
   * `did`: the event is in effect. `would`: it is not (failed, parked, pending). `gone`: it was withdrawn or skipped.
   * `drift`: of a rollback that it kept from being executed: what the ledger says, against what the table has.
   */
  readonly kind: 'did' | 'would' | 'gone' | 'drift';
  /** Where `before` comes from: this event's own before image, the fold of earlier ones, or the table as it is now. */
  readonly source: 'image' | 'fold' | 'table' | 'unknown';
  /** Null: there was no row. Absent: not known. */
  readonly before?: Row | null;
  readonly after?: Row | null;
  readonly fields: readonly FieldEffect[];
}

/** What an event does to a row, as its own operation and fields say. */
export interface Change {
  readonly operation: string | null;
  /** Null: not kept, or not readable. */
  readonly fields: JsonObject | null;
}

export interface BeforeRow {
  readonly source: RowEffect['source'];
  /** Undefined: not known. */
  readonly row: Row | null | undefined;
}

/** The events whose before images are needed to tell what the row was before `history[index]`. */
export function imagesWanted(
  history: readonly HistoryEntry[],
  index: number,
  mapper: ColumnMapper,
): readonly string[] {
  const own = history[index];
  if (own !== undefined && own.beforeExists !== null) return own.hasImage ? [own.eventId] : [];
  const imageOf = ledgerRow(history.slice(0, index), mapper)?.imageOf ?? null;
  return imageOf === null ? [] : [imageOf];
}

/** The row before `history[index]`: its own before image, else folded from the nearest earlier one. */
export function rowBefore(
  history: readonly HistoryEntry[],
  index: number,
  mapper: ColumnMapper,
  images: ReadonlyMap<string, RowTexts>,
): BeforeRow {
  const own = history[index];
  if (own?.beforeExists === false) return { source: 'image', row: null };
  if (own?.beforeExists === true) return known('image', images.get(own.eventId), mapper);
  const folded = ledgerRow(history.slice(0, index), mapper);
  if (folded === null) return { source: 'unknown', row: undefined };
  if (!folded.exists) return { source: 'fold', row: null };
  const image = folded.imageOf === null ? {} : images.get(folded.imageOf);
  const base = known('fold', image, mapper);
  if (base.row === undefined || base.row === null) return base;
  return { source: 'fold', row: merged(base.row, folded.changes, folded.extra, mapper) };
}

/** The same of the row as the table has it. */
export function rowOfTable(texts: RowTexts | null, mapper: ColumnMapper): BeforeRow {
  return texts === null ? { source: 'table', row: null } : known('table', texts, mapper);
}

function known(source: RowEffect['source'], texts: RowTexts | undefined, mapper: ColumnMapper): BeforeRow {
  if (texts === undefined) return { source: 'unknown', row: undefined };
  const row: Record<string, RawJson> = {};
  for (const { name } of mapper.table.columns) {
    const text = texts[name];
    if (text !== undefined) row[name] = new RawJson(text);
  }
  return { source, row };
}

/** What an event makes of a row, field by field: what it carries first, in its order, then the rest of the row. */
export function effectOf(
  kind: RowEffect['kind'],
  before: BeforeRow,
  change: Change,
  mapper: ColumnMapper,
): RowEffect {
  const carried = change.fields === null ? [] : carriedBy(change.fields, mapper);
  const { source, row } = before;
  const after = rowAfter(row, change, carried, mapper);
  const shown = carried.map((each): FieldEffect => ({
    field: each.extraKey === null ? each.column : `${each.column}.${each.extraKey}`,
    ...beforeAndAfter(valueIn(row, each), json(each.value)),
    isCarried: true,
    isChanged: !isSame(valueIn(row, each), json(each.value)),
    ...(each.fault === null ? {} : { fault: each.fault }),
  }));
  const told = new Set(shown.map(({ field }) => field));
  const rest = restOf(row, after, mapper).filter(({ field }) => !told.has(field));
  const rows = { ...(row === undefined ? {} : { before: row }), ...(after === undefined ? {} : { after }) };
  return { kind, source, ...rows, fields: [...shown, ...rest] };
}

/** Every column, and every key of the extra column. */
function restOf(
  row: Row | null | undefined,
  after: Row | null | undefined,
  mapper: ColumnMapper,
): readonly FieldEffect[] {
  const [from, to] = [flat(row, mapper), flat(after, mapper)];
  return Object.keys({ ...from, ...to }).map((field) => ({
    field,
    ...beforeAndAfter(from[field], to[field]),
    isCarried: false,
    isChanged: row !== undefined && after !== undefined && !isSame(from[field], to[field]),
  }));
}

function flat(row: Row | null | undefined, { table }: ColumnMapper): Row {
  const { extraColumn } = table;
  if (row === undefined || row === null || extraColumn === null) return row ?? {};
  const { [extraColumn]: extra, ...columns } = row;
  const keys = Object.entries(objectIn(extra));
  return {
    ...columns,
    ...Object.fromEntries(keys.map(([key, value]) => [`${extraColumn}.${key}`, json(value)])),
  };
}

function beforeAndAfter(
  before: RawJson | undefined,
  after: RawJson | undefined,
): Pick<FieldEffect, 'before' | 'after'> {
  return { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
}

interface Carried {
  /** The column that it reaches, or the field's own name where it reaches none. */
  readonly column: string;
  readonly extraKey: string | null;
  readonly value: JsonValue;
  readonly fault: string | null;
}

function carriedBy(fields: JsonObject, mapper: ColumnMapper): readonly Carried[] {
  return Object.entries(fields).flatMap(([field, value]): Carried[] => {
    const single: JsonObject = {};
    setOwn(single, field, value);
    const mapped = mapper.map(single);
    if (isEventError(mapped)) return [{ column: field, extraKey: null, value, fault: mapped.message }];
    const column = mapper.table.columns.find((_, at) => mapped.texts[at] !== undefined)?.name;
    if (column !== undefined) return [{ column, extraKey: null, value, fault: null }];
    const extraColumn = mapper.table.extraColumn ?? field;
    return Object.entries(mapped.extra ?? {}).map(([extraKey, inner]) => ({
      column: extraColumn,
      extraKey,
      value: inner,
      fault: null,
    }));
  });
}

/** Undefined where it is not known. By lenient rules an update of a row that is not there has no effect. */
function rowAfter(
  row: Row | null | undefined,
  { operation, fields }: Change,
  carried: readonly Carried[],
  mapper: ColumnMapper,
): Row | null | undefined {
  if (operation === 'delete') return null;
  if (fields === null || row === undefined) return undefined;
  if (row === null && operation === 'update') return null;
  const changes: JsonObject = {};
  const extra: JsonObject = {};
  for (const { column, extraKey, value, fault } of carried) {
    if (fault === null) setOwn(extraKey === null ? changes : extra, extraKey ?? column, value);
  }
  return merged(row ?? {}, changes, extra, mapper);
}

function merged(row: Row, changes: JsonObject, extra: JsonObject, { table }: ColumnMapper): Row {
  const after: Record<string, RawJson> = { ...row };
  for (const [column, value] of Object.entries(changes)) after[column] = json(value);
  const { extraColumn } = table;
  if (extraColumn !== null && Object.keys(extra).length > 0) {
    after[extraColumn] = json({ ...objectIn(after[extraColumn]), ...extra });
  }
  return after;
}

function valueIn(row: Row | null | undefined, { column, extraKey }: Carried): RawJson | undefined {
  const value = row?.[column];
  if (extraKey === null || value === undefined) return value;
  const inner = objectIn(value)[extraKey];
  return inner === undefined ? undefined : json(inner);
}

function objectIn(value: RawJson | undefined): JsonObject {
  const parsed: unknown = value === undefined ? null : JSON.parse(value.text);
  return isJsonObject(parsed) ? parsed : {};
}

function json(value: JsonValue): RawJson {
  return new RawJson(JSON.stringify(value));
}

/** As values, not as they are written: PostgreSQL sorts and spaces jsonb, and a column takes "36" and 36 alike. */
function isSame(before: RawJson | undefined, after: RawJson | undefined): boolean {
  if (before === undefined || after === undefined) return before === after;
  return before.text === after.text || canonical(before) === canonical(after);
}

function canonical({ text }: RawJson): string {
  const value: unknown = JSON.parse(text);
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return /^[^e]*\.\d*0+$/.test(text) ? text.replace(/\.?0+$/, '') : text;
  if (typeof value === 'boolean') return text;
  // Behind a NUL, which no text of a column holds: null is not "null".
  return `\0${JSON.stringify(value, (_, inner: unknown) => (isJsonObject(inner) ? sorted(inner) : inner))}`;
}

function sorted(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
