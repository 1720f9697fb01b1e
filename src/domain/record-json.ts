/**
 * A record as one line of JSON (DESIGN 7), and back, byte for byte. Beside the fields of DESIGN 7:
 *
 * - `valueEncoding`: `json`: `value` is the JSON that the bytes are; `text`: they are UTF-8 that is no JSON, or JSON that
 *   does not survive parsing; `base64`: they are neither. Absent where the value is null. A line of another tool has
 *   none: then a string is the text itself, everything else its compact JSON.
 * - `valueText`: the exact bytes, where they are JSON but not in the compact form that JSON.stringify prints.
 * - `keyEncoding`, and `encoding` of a header: `base64` where the bytes are not UTF-8, else absent.
 * - `idDerived`: true where the record carries no id of its own, so that `eventId` follows from its place in the log.
 */
import type { JsonObject, JsonValue, LogEvent } from './event.ts';
import { operationOf } from './sameness.ts';
import { hasLossyNumber } from './json-numbers.ts';
import { isNestedDeeper } from './json-text.ts';
import { isJsonObject, MAX_JSON_DEPTH } from './parse-json.ts';
import type { LogRecord, NewRecord, RecordHeader } from './record.ts';
import { Unreadable } from './unreadable.ts';
import { decodeUtf8, hasLoneSurrogate } from './utf8.ts';

/** Prints a record as one line, without the line feed. `status` undefined: this service's ledger is not known. */
export type PrintRecord = (record: LogRecord, event: LogEvent, status?: string) => string;

/**
 * Makes the printer of a topic. What one record has in common with the one before it (the time, most headers) is
 * printed once: a third of the work.
 */
export function createRecordPrinter(topic: string): PrintRecord {
  const topicJson = JSON.stringify(topic);
  const printHeader = createHeaderPrinter();
  let lastTimestamp = NaN;
  let timestampJson = '';
  return (record, event, status) => {
    const { partition, offset, timestamp } = record;
    if (timestamp !== lastTimestamp) {
      timestampJson = printTimestamp(timestamp);
      lastTimestamp = timestamp;
    }
    let headers = '';
    for (const header of record.headers)
      headers += headers === '' ? printHeader(header) : `,${printHeader(header)}`;
    return (
      `{"topic":${topicJson},"partition":${String(partition)},"offset":${offset.toString()},` +
      `"timestamp":${timestampJson},${printKey(record.key)},${printValue(record.value, event)},` +
      `"headers":[${headers}],"eventId":"${event.eventId}",${event.isIdDerived ? '"idDerived":true,' : ''}` +
      `"operation":${printOperation(event)},"userId":${JSON.stringify(event.userId)}` +
      (status === undefined ? '}' : `,"status":"${status}"}`)
    );
  };
}

function printOperation(event: LogEvent): string {
  const operation = operationOf(event);
  return operation === null ? 'null' : `"${operation}"`;
}

/** ISO 8601 with milliseconds; the number where it is beyond what a calendar of 275,000 years has. */
function printTimestamp(timestamp: number): string {
  return Math.abs(timestamp) > MAX_DATE_MS ? String(timestamp) : `"${new Date(timestamp).toISOString()}"`;
}

function printKey(key: Buffer | null): string {
  if (key === null) return '"key":null';
  const text = decodeUtf8(key);
  return text === null
    ? `"key":"${key.toString('base64')}","keyEncoding":"base64"`
    : `"key":${JSON.stringify(text)}`;
}

function createHeaderPrinter(): (header: RecordHeader) => string {
  const last = new Map<string, { readonly value: Buffer; readonly json: string }>();
  return ({ key, value }) => {
    if (value === null) return `{"key":${JSON.stringify(key)},"value":null}`;
    const known = last.get(key);
    if (known?.value.equals(value) === true) return known.json;
    const json = printHeader(key, value);
    if (known !== undefined || last.size < MAX_KNOWN_HEADERS) last.set(key, { value, json });
    return json;
  };
}

function printHeader(key: string, value: Buffer): string {
  const text = decodeUtf8(value);
  return text === null
    ? `{"key":${JSON.stringify(key)},"value":"${value.toString('base64')}","encoding":"base64"}`
    : `{"key":${JSON.stringify(key)},"value":${JSON.stringify(text)}}`;
}

function printValue(value: Buffer | null, event: LogEvent): string {
  if (value === null) return '"value":null';
  const text = decodeUtf8(value);
  if (text === null) return `"value":"${value.toString('base64')}","valueEncoding":"base64"`;
  const compact = isOurCompactJson(text, event) ? text : compactJson(text);
  if (compact === null) return `"value":${JSON.stringify(text)},"valueEncoding":"text"`;
  const exact = compact === text ? '' : `,"valueText":${JSON.stringify(text)}`;
  return `"value":${compact},"valueEncoding":"json"${exact}`;
}

/** True for JSON as we write it, `userId` in front: told without parsing again what reading has parsed. */
function isOurCompactJson(text: string, event: LogEvent): boolean {
  if (event.kind !== 'cud' || !text.startsWith('{"userId":"') || isNestedDeeper(text, MAX_JSON_DEPTH - 1))
    return false;
  const fields = JSON.stringify(event.fields);
  const rest = fields === '{}' ? '}' : `,${fields.slice(1)}`;
  return text === `{"userId":${JSON.stringify(event.userId)}${rest}`;
}

/** JSON as JSON.stringify prints it, or null where the text is no JSON that survives inside a line. */
function compactJson(text: string): string | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  // The line around the value is one level more. A null would be taken for a null value.
  if (parsed === null || isNestedDeeper(text, MAX_JSON_DEPTH - 1) || hasLossyNumber(text)) return null;
  const compact = JSON.stringify(parsed);
  // JSON.stringify escapes halves of surrogate pairs alone. An escaped backslash before `ud…` is taken for one: no harm.
  return text.includes('\\u') && /\\ud[89a-f]/.test(compact) ? null : compact;
}

/** True for a line that is a record: it says where it lay. */
export function isRecordJson(line: JsonObject): boolean {
  return (
    typeof line['topic'] === 'string' &&
    typeof line['partition'] === 'number' &&
    typeof line['offset'] === 'number'
  );
}

/** The record to append again: key, value, headers and timestamp as they were; the position is not taken over. */
export function parseRecordJson(line: JsonObject): NewRecord | Unreadable {
  const key = parseBytes('key', line['key'] ?? null, line['keyEncoding']);
  if (key instanceof Unreadable) return key;
  const value = parseValue(line);
  if (value instanceof Unreadable) return value;
  const headers = parseHeaders(line['headers'] ?? []);
  if (headers instanceof Unreadable) return headers;
  if (line['timestamp'] === undefined) return { key, value, headers };
  const timestamp = parseTimestamp(line['timestamp']);
  return timestamp === null
    ? new Unreadable('timestamp is neither ISO 8601 with a zone nor whole milliseconds')
    : { key, value, headers, timestamp };
}

/** ms since the epoch of an ISO 8601 date and time with a zone, or of whole milliseconds; null for anything else. */
export function parseTimestamp(value: JsonValue): number | null {
  if (typeof value === 'number') return Number.isInteger(value) ? value : null;
  if (typeof value !== 'string' || !ISO_DATE_TIME.test(value)) return null;
  const timestamp = Date.parse(value);
  return Number.isNaN(timestamp) ? null : timestamp;
}

function parseValue(line: JsonObject): Buffer | null | Unreadable {
  const value = line['value'] ?? null;
  const encoding = line['valueEncoding'];
  if (value === null) return null;
  if (encoding === 'json' || (encoding === undefined && typeof value !== 'string')) {
    return parseJsonValue(value, line['valueText']);
  }
  return parseBytes('value', value, encoding === 'text' ? undefined : encoding);
}

function parseJsonValue(value: JsonValue, exact: JsonValue | undefined): Buffer | Unreadable {
  if (exact === undefined) return Buffer.from(JSON.stringify(value));
  const meant = typeof exact === 'string' ? compactJson(exact) : null;
  return meant !== null && typeof exact === 'string' && isSameJson(JSON.parse(meant), value)
    ? Buffer.from(exact)
    : new Unreadable('value and valueText differ: leave valueText out to send the value as it is');
}

/** The order of members does not matter: a tool between may have sorted them. */
function isSameJson(a: unknown, b: JsonValue): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && b.every((inner, at) => isSameJson(a[at], inner));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return a === b;
  const names = Object.keys(b);
  return (
    names.length === Object.keys(a).length &&
    names.every((name) => Object.hasOwn(a, name) && isSameJson(a[name], b[name] ?? null))
  );
}

function parseHeaders(headers: JsonValue): RecordHeader[] | Unreadable {
  if (!Array.isArray(headers)) return new Unreadable('headers is not a list');
  const parsed: RecordHeader[] = [];
  for (const header of headers) {
    if (!isJsonObject(header) || typeof header['key'] !== 'string' || hasLoneSurrogate(header['key'])) {
      return new Unreadable('a header has no key');
    }
    const value = parseBytes('the value of a header', header['value'] ?? null, header['encoding']);
    if (value instanceof Unreadable) return value;
    parsed.push({ key: header['key'], value });
  }
  return parsed;
}

function parseBytes(
  what: string,
  text: JsonValue,
  encoding: JsonValue | undefined,
): Buffer | null | Unreadable {
  if (text === null) return null;
  if (typeof text !== 'string') return new Unreadable(`${what} is not a string`);
  if (encoding === undefined) {
    return hasLoneSurrogate(text)
      ? new Unreadable(`${what} has half of a surrogate pair`)
      : Buffer.from(text);
  }
  if (encoding !== 'base64') return new Unreadable(`${what} has an encoding that is not known`);
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : new Unreadable(`${what} is not base64`);
}

/** Header names of which the last value is remembered: producers have a handful. */
const MAX_KNOWN_HEADERS = 20;
/** ECMA-262, time values: 8.64e15 ms before and after the epoch. */
const MAX_DATE_MS = 8.64e15;
const ISO_DATE_TIME =
  /^(?:\d{4}|[+-]\d{6})-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/;
