/**
 * A line of NDJSON as `publish --from-file` takes it (DESIGN 7), one of:
 *
 * - an operation: `{"operation": "create", "userId": "u1", "data": {…}}`, with `eventId`, `time`, `traceparent` and
 *   `causationId` where wanted;
 * - a plain user, `{"userId": "u1", …}`: a put;
 * - a record as `log --json` prints it (record-json.ts).
 */
import type { OutgoingCudEvent } from './envelope.ts';
import { CUD_OPERATIONS, type CudOperation, type JsonObject, type JsonValue } from './event.ts';
import { isJsonObject, parseJsonObjectText } from './parse-json.ts';
import { isRecordJson, parseRecordJson, parseTimestamp } from './record-json.ts';
import type { NewRecord } from './record.ts';
import { Unreadable } from './unreadable.ts';
import { hasLoneSurrogate } from './utf8.ts';

/** An event whose id may still be open: then the caller gives it one. */
export type InputEvent = Omit<OutgoingCudEvent, 'eventId'> & { readonly eventId?: string };

/** What a record's line claims beside the record itself; null claims nothing. */
export interface RecordClaims {
  readonly eventId: string | null;
  readonly operation: string | null;
  readonly userId: string | null;
}

export type InputLine =
  | { readonly kind: 'event'; readonly event: InputEvent }
  | { readonly kind: 'record'; readonly record: NewRecord; readonly claims: RecordClaims };

/** Reads one line, without its line feed. A reason, without the user's data, where it is none of the three. */
export function parseInputLine(text: string): InputLine | Unreadable {
  const line = parseJsonObjectText(text);
  if (line instanceof Unreadable) return new Unreadable(line.reason.replace('the value', 'the line'));
  if (isRecordJson(line)) return readRecord(line);
  const event = 'operation' in line ? readOperation(line) : readUser(line);
  return event instanceof Unreadable ? event : { kind: 'event', event };
}

/** A flag's or line's user id: a text, or an integer that JSON keeps exactly. */
function readId(userId: JsonValue | undefined): string | Unreadable {
  if (typeof userId === 'string') return userId;
  if (typeof userId === 'number' && Number.isSafeInteger(userId)) return String(userId);
  return new Unreadable(userId === undefined ? 'there is no userId' : 'userId is not a text');
}

function readUser(line: JsonObject): InputEvent | Unreadable {
  const { userId: stated, ...fields } = line;
  if (stated === undefined) {
    return new Unreadable('neither an operation, nor a user (there is no userId), nor a record of the log');
  }
  const userId = readId(stated);
  return userId instanceof Unreadable ? userId : { kind: 'cud', operation: 'put', userId, fields };
}

const OPERATION_MEMBERS: ReadonlySet<string> = new Set([
  'operation',
  'userId',
  'data',
  'eventId',
  'time',
  'traceparent',
  'causationId',
]);

function readOperation(line: JsonObject): InputEvent | Unreadable {
  const { operation } = line;
  if (operation === 'rollback') return new Unreadable('a rollback is published by the rollback command');
  if (!isCudOperation(operation)) return new Unreadable(`operation is none of ${CUD_OPERATIONS.join(', ')}`);
  const stranger = Object.keys(line).find((name) => !OPERATION_MEMBERS.has(name));
  if (stranger !== undefined)
    return new Unreadable('an operation has a member that is not known; the fields go into data');
  const userId = readId(line['userId']);
  if (userId instanceof Unreadable) return userId;
  const fields = readFields(operation, userId, line['data'] ?? {});
  if (fields instanceof Unreadable) return fields;
  const optional = readOptional(line);
  if (optional instanceof Unreadable) return optional;
  const event: InputEvent = { kind: 'cud', operation, userId, fields };
  return optional === NOTHING ? event : { ...event, ...optional };
}

function isCudOperation(value: JsonValue | undefined): value is CudOperation {
  return CUD_OPERATIONS.some((operation) => operation === value);
}

function readFields(operation: CudOperation, userId: string, data: JsonValue): JsonObject | Unreadable {
  if (!isJsonObject(data)) return new Unreadable('data is not a JSON object');
  const inData = data['userId'];
  // Leaving a member out copies the others, and that is a good part of what a line costs.
  const fields = inData === undefined ? data : withoutUserId(data);
  if (inData !== undefined && readId(inData) !== userId)
    return new Unreadable('userId and the userId in data differ');
  if (operation === 'delete' && Object.keys(fields).length > 0)
    return new Unreadable('a delete carries no data');
  return fields;
}

function withoutUserId({ userId: _, ...fields }: JsonObject): JsonObject {
  return fields;
}

/** W3C Trace Context, level 1: version, trace id, parent id, flags. */
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Why a text cannot be a `traceparent`, an `eventId` or a `causationId`, or null where it can. */
export function attributeFault(name: 'traceparent' | 'eventId' | 'causationId', text: string): string | null {
  if (name === 'traceparent') return TRACEPARENT.test(text) ? null : 'traceparent is not of the W3C form';
  return text === '' || text.includes('\0') || hasLoneSurrogate(text) ? `${name} is empty or no text` : null;
}

const OPTIONAL_MEMBERS = ['eventId', 'traceparent', 'causationId', 'time'] as const;

type Optional = Pick<InputEvent, 'eventId' | 'timestamp' | 'traceparent' | 'causationId'>;

const NOTHING: Optional = {};

function readOptional(line: JsonObject): Optional | Unreadable {
  if (!OPTIONAL_MEMBERS.some((name) => name in line)) return NOTHING;
  const found: { -readonly [Name in keyof Optional]: Optional[Name] } = {};
  for (const name of ['eventId', 'traceparent', 'causationId'] as const) {
    const value = line[name];
    if (value === undefined || value === null) continue;
    const fault = typeof value === 'string' ? attributeFault(name, value) : `${name} is not a text`;
    if (fault !== null) return new Unreadable(fault);
    if (typeof value === 'string') found[name] = value;
  }
  const time = line['time'] ?? null;
  if (time === null) return found;
  const timestamp = parseTimestamp(time);
  if (timestamp === null || timestamp < 0) {
    return new Unreadable('time is neither ISO 8601 with a zone nor whole milliseconds');
  }
  return { ...found, timestamp };
}

function readRecord(line: JsonObject): InputLine | Unreadable {
  const record = parseRecordJson(line);
  if (record instanceof Unreadable) return record;
  const claim = (name: string): string | null => {
    const value = line[name];
    return typeof value === 'string' ? value : null;
  };
  const eventId = line['idDerived'] === true ? null : claim('eventId');
  return {
    kind: 'record',
    record,
    claims: { eventId, operation: claim('operation'), userId: claim('userId') },
  };
}
