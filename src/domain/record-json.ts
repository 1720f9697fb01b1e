/**
 * A record as one line of JSON (DESIGN 7), and back (record-printer.ts prints it), byte for byte. Beside the fields of DESIGN 7:
 *
 * - `valueEncoding`: `json`: `value` is the JSON that the bytes are; `text`: they are UTF-8 that is no JSON, or JSON that
 *   does not survive parsing; `base64`: they are neither. Absent where the value is null. A line of another tool has
 *   none: then a string is the text itself, everything else its compact JSON.
 * - `valueText`: the exact bytes, where they are JSON but not in the compact form that JSON.stringify prints.
 * - `keyEncoding`, and `encoding` of a header: `base64` where the bytes are not UTF-8, else absent.
 * - `idDerived`: true where the record carries no id of its own, so that `eventId` follows from its place in the log.
 */
import type { JsonObject, JsonValue } from './event.ts';
import { compactJson } from './compact-json.ts';
import { isJsonObject } from './parse-json.ts';
import type { NewRecord, RecordHeader } from './record.ts';
import { Unreadable } from './unreadable.ts';
import { hasLoneSurrogate } from './utf8.ts';

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

const ISO_DATE_TIME =
  /^(?:\d{4}|[+-]\d{6})-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/;
