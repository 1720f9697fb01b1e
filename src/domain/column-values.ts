import type { EventErrorCode } from '../errors/codes.ts';
import type { JsonObject, JsonValue } from './event.ts';
import { fieldNamesOf, type UserColumn, type UsersTable } from './users-table.ts';

/** Why one event was not executed. `message` is for people; `detail` names constraint, column, field. */
export interface EventError {
  readonly code: EventErrorCode;
  readonly message: string;
  readonly sqlState?: string;
  readonly detail?: JsonObject;
}

/** What one event sets: per column of the table its text (null = NULL), undefined where the event does not carry it. */
export interface ColumnValues {
  /** Parallel to `UsersTable.columns`. The extra column's own place stays undefined: see `extra`. */
  readonly texts: (string | null | undefined)[];
  /** Fields merged into the extra column, key by key; null where there are none. */
  readonly extra: JsonObject | null;
}

/** Turns an event's fields into column values of one table. Made once per assignment. */
export interface ColumnMapper {
  readonly table: UsersTable;
  /** Place of the extra column in `table.columns`, -1 where there is none. */
  readonly extraIndex: number;
  /** UNKNOWN_FIELD, WRONG_TYPE as a value: an event's fault is an outcome, not an exception. */
  map(fields: JsonObject): ColumnValues | EventError;
}

/** Makes the mapper: camelCase fields reach snake_case columns, other fields the extra column where there is one. */
export function columnMapper(table: UsersTable): ColumnMapper {
  const indexOfField = new Map<string, number>();
  table.columns.forEach((column, index) => {
    for (const field of fieldNamesOf(column.name))
      if (!indexOfField.has(field)) indexOfField.set(field, index);
  });
  // A column's own name wins over another column's camelCase.
  table.columns.forEach((column, index) => indexOfField.set(column.name, index));
  const extraIndex = table.columns.findIndex((column) => column.name === table.extraColumn);
  const width = table.columns.length;

  function map(fields: JsonObject): ColumnValues | EventError {
    const texts = new Array<string | null | undefined>(width).fill(undefined);
    let extra: JsonObject | null = null;
    for (const field of Object.keys(fields)) {
      const value = fields[field];
      if (value === undefined) continue;
      const index = indexOfField.get(field);
      const column = index === undefined ? undefined : table.columns[index];
      if (index === undefined || column === undefined || index === extraIndex) {
        if (extraIndex < 0) return unknownField(field, table);
        extra ??= {};
        if (index === undefined) setOwn(extra, field, value);
        else if (isObject(value)) addMembers(extra, value);
        else return wrongType(field, 'is merged key by key, so it takes an object');
        continue;
      }
      const text = columnText(column, value);
      if (typeof text === 'object' && text !== null) return wrongType(field, text.problem);
      texts[index] = text;
    }
    return { texts, extra };
  }
  return { table, extraIndex, map };
}

/** Sets every member of `source` in `target`, later ones winning. */
export function addMembers(target: JsonObject, source: JsonObject): void {
  for (const [key, value] of Object.entries(source)) setOwn(target, key, value);
}

/** `target[key] = value` also for `__proto__`, which a plain assignment would swallow. */
export function setOwn(target: JsonObject, key: string, value: JsonValue): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else target[key] = value;
}

function columnText(column: UserColumn, value: JsonValue): string | null | { problem: string } {
  if (value === null) return null;
  if (column.form === 'json') return JSON.stringify(value);
  if (column.form === 'array') {
    if (!Array.isArray(value)) return { problem: `takes a list (${column.castType})` };
    return arrayLiteral(value);
  }
  switch (typeof value) {
    case 'string':
      return textProblem(value) ?? value;
    case 'number':
    case 'boolean':
      return String(value);
    default:
      return { problem: `takes a single value (${column.castType}), not a list or an object` };
  }
}

/** PostgreSQL's text holds no NUL and no half of a surrogate pair; encoding to UTF-8 would change the latter silently. */
function textProblem(text: string): { problem: string } | undefined {
  if (text.includes('\0')) return { problem: 'holds a NUL character' };
  return text.isWellFormed() ? undefined : { problem: 'holds half of a surrogate pair' };
}

/** The text form of an array, every element quoted (PostgreSQL manual, 8.15.6). */
function arrayLiteral(values: readonly JsonValue[]): string | { problem: string } {
  const parts: string[] = [];
  for (const value of values) {
    if (value === null) parts.push('NULL');
    else if (Array.isArray(value)) {
      const inner = arrayLiteral(value);
      if (typeof inner === 'object') return inner;
      parts.push(inner);
    } else {
      const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
      const problem = textProblem(text);
      if (problem !== undefined) return problem;
      parts.push(`"${text.replace(/["\\]/g, '\\$&')}"`);
    }
  }
  return `{${parts.join(',')}}`;
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknownField(field: string, table: UsersTable): EventError {
  return {
    code: 'UNKNOWN_FIELD',
    message: `The table ${table.schema}.${table.name} has no column for the field ${JSON.stringify(field)}`,
    detail: { field },
  };
}

function wrongType(field: string, problem: string): EventError {
  return { code: 'WRONG_TYPE', message: `The field ${JSON.stringify(field)} ${problem}`, detail: { field } };
}

/** True for the error of `ColumnMapper.map`. */
export function isEventError(outcome: ColumnValues | EventError): outcome is EventError {
  return 'code' in outcome;
}
