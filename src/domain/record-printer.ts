import { compactJson, isPlainlyCompact } from './compact-json.ts';
import type { LogEvent } from './event.ts';
import type { LogRecord, RecordHeader } from './record.ts';
import { operationOf } from './sameness.ts';
import { decodeUtf8 } from './utf8.ts';

/**
 * Prints a record as one line (record-json.ts says what is in it), without the line feed. `event` is what the record was
 * read as. `status` undefined: this service's ledger is not known.
 */
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
    const userIdJson = JSON.stringify(event.userId);
    return (
      `{"topic":${topicJson},"partition":${String(partition)},"offset":${offset.toString()},` +
      `"timestamp":${timestampJson},${printKey(record.key, event.userId, userIdJson)},${printValue(record.value, event)},` +
      `"headers":[${headers}],"eventId":"${event.eventId}",${event.isIdDerived ? '"idDerived":true,' : ''}` +
      `"operation":${printOperation(event)},"userId":${userIdJson}` +
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

/** A key that can be read is the user id: printed once for both. */
function printKey(key: Buffer | null, userId: string | null, userIdJson: string): string {
  if (key === null) return '"key":null';
  if (userId !== null) return `"key":${userIdJson}`;
  const text = decodeUtf8(key);
  return text === null
    ? `"key":"${key.toString('base64')}","keyEncoding":"base64"`
    : `"key":${JSON.stringify(text)}`;
}

function createHeaderPrinter(): (header: RecordHeader) => string {
  const last = new Map<string, { readonly start: string; value: Buffer; json: string }>();
  return ({ key, value }) => {
    const known = last.get(key);
    if (value === null) return `{"key":${JSON.stringify(key)},"value":null}`;
    if (known === undefined) {
      const start = `{"key":${JSON.stringify(key)},"value":`;
      const json = start + printHeaderValue(value);
      if (last.size < MAX_KNOWN_HEADERS) last.set(key, { start, value, json });
      return json;
    }
    // Often the same bytes, not only the same text: records of a batch share them.
    if (known.value !== value && !known.value.equals(value)) {
      known.json = known.start + printHeaderValue(value);
      known.value = value;
    }
    return known.json;
  };
}

function printHeaderValue(value: Buffer): string {
  const text = decodeUtf8(value);
  return text === null ? `"${value.toString('base64')}","encoding":"base64"}` : `${JSON.stringify(text)}}`;
}

function printValue(value: Buffer | null, event: LogEvent): string {
  if (value === null) return '"value":null';
  const text = decodeUtf8(value);
  if (text === null) return `"value":"${value.toString('base64')}","valueEncoding":"base64"`;
  const isCompact =
    event.kind === 'cud' && text.startsWith('{"userId":"') && isPlainlyCompact(text, event.fields);
  const compact = isCompact ? text : compactJson(text);
  if (compact === null) return `"value":${JSON.stringify(text)},"valueEncoding":"text"`;
  const exact = compact === text ? '' : `,"valueText":${JSON.stringify(text)}`;
  return `"value":${compact},"valueEncoding":"json"${exact}`;
}

/** Header names of which the last value is remembered: producers have a handful. */
const MAX_KNOWN_HEADERS = 20;
/** ECMA-262, time values: 8.64e15 ms before and after the epoch. */
const MAX_DATE_MS = 8.64e15;
