import {
  attributesOfHeaders,
  attributesOfObject,
  findCloudHeaders,
  isBinaryMode,
  structuredMode,
  type CloudAttributes,
} from './cloud-attributes.ts';
import { TYPE_OF_OPERATION, type EnvelopeContext, type RollbackTerms } from './envelope.ts';
import { identityOfCloudEvent, identityOfPlain, type EventIdentity } from './event-identity.ts';
import type {
  CudEvent,
  CudOperation,
  EventHead,
  JsonObject,
  LogEvent,
  Operation,
  RollbackEvent,
  UnreadableEvent,
} from './event.ts';
import { isJsonObject, parseJsonObject } from './parse-json.ts';
import type { LogRecord } from './record.ts';
import { readRollbackValue } from './rollback-value.ts';
import { Unreadable } from './unreadable.ts';
import { readUserId, userIdOfKey } from './user-id.ts';

/**
 * The event that a record is. Three wire forms (DESIGN 3): CloudEvents in binary mode (any of the four required
 * `ce_` headers), in structured mode (content type `application/cloudevents+json`), and plain JSON, Spring's
 * `__TypeId__` included, which is a put, or a delete where the value is null. Never throws: what cannot be read is an
 * `unreadable` event with code UNREADABLE or UNKNOWN_TYPE, of the user of its key where that is a user id.
 *
 * The hot path of the consumer: the value is decoded and parsed once.
 */
export function readEnvelope(record: LogRecord, context: EnvelopeContext): LogEvent {
  if (record.timestamp !== keepableTime(record.timestamp)) {
    return unreadable(placeOf(record, context), record, context, 'its timestamp is no time that can be kept');
  }
  const headers = findCloudHeaders(record.headers);
  const structured = structuredMode(record, headers);
  if (structured === 'json') return readStructured(record, context);
  if (structured === 'other') {
    return unreadable(
      placeOf(record, context),
      record,
      context,
      'the CloudEvent is in a format other than JSON',
    );
  }
  if (isBinaryMode(headers))
    return readCloudEvent(record, context, attributesOfHeaders(headers), dataOfValue);
  const operation = record.value === null ? 'delete' : 'put';
  return readUserEvent(record, context, placeOf(record, context), operation, dataOfValue(record));
}

function readStructured(record: LogRecord, context: EnvelopeContext): LogEvent {
  const event = dataOfValue(record);
  if (event instanceof Unreadable || event === null) {
    return unreadable(placeOf(record, context), record, context, event?.reason ?? 'the value is null');
  }
  const read = readCloudEvent(record, context, attributesOfObject(event), () => dataOfObject(event));
  if (read.kind !== 'cud' && read.kind !== 'rollback') return read;
  // The user's data alone, as binary mode has it: the ledger keeps it, and a history is read from it.
  const data = event['data'];
  return { ...read, value: isJsonObject(data) ? Buffer.from(JSON.stringify(data)) : null };
}

/** `readData` is called once the type is known to be wanted: null is no data. */
function readCloudEvent(
  record: LogRecord,
  context: EnvelopeContext,
  attributes: CloudAttributes,
  readData: (record: LogRecord) => JsonObject | null | Unreadable,
): LogEvent {
  const { id, source, type, fault } = attributes;
  const head = id === null ? placeOf(record, context) : headOf(record, identityOfCloudEvent(id, source));
  if (type === null || fault !== null) {
    return unreadable(head, record, context, fault ?? "the CloudEvent's type is missing");
  }
  const operation = OPERATION_OF_TYPE.get(type);
  if (operation === undefined && context.ignoreTypes.has(type)) {
    const userId = userIdOfKey(record.key, context.keyType);
    return { ...head, kind: 'ignored', userId, ceType: type, value: record.value };
  }
  const meant = operation ?? context.mapTypes.get(type);
  if (meant === undefined) {
    return unreadable(head, record, context, "the CloudEvent's type is not known", 'UNKNOWN_TYPE');
  }
  return readUserEvent(record, context, head, meant, readData(record));
}

function readUserEvent(
  record: LogRecord,
  context: EnvelopeContext,
  head: EventHead,
  operation: Operation,
  data: JsonObject | null | Unreadable,
): LogEvent {
  if (data instanceof Unreadable) return unreadable(head, record, context, data.reason);
  if (data === null && operation !== 'delete') {
    return unreadable(head, record, context, `an event without a value is a delete, not a ${operation}`);
  }
  const userId = readUserId(record.key, data?.['userId'], context.keyType);
  if (userId instanceof Unreadable) return unreadable(head, record, context, userId.reason);
  if (operation === 'delete' || data === null) return cudEvent(head, 'delete', userId, {}, record.value);
  if (operation !== 'rollback') {
    const { userId: _, ...fields } = data;
    return cudEvent(head, operation, userId, fields, record.value);
  }
  const terms = readRollbackValue(data);
  if (terms instanceof Unreadable) return unreadable(head, record, context, terms.reason);
  return rollbackEvent(head, userId, terms, record.value);
}

/** Written out, since spreading the head costs 3 us an event, ten times the parsing of its value (V8 11.3). */
function cudEvent(
  head: EventHead,
  operation: CudOperation,
  userId: string,
  fields: JsonObject,
  value: Buffer | null,
): CudEvent {
  return {
    eventId: head.eventId,
    ceId: head.ceId,
    source: head.source,
    isIdDerived: head.isIdDerived,
    partition: head.partition,
    offset: head.offset,
    timestamp: head.timestamp,
    kind: 'cud',
    operation,
    userId,
    fields,
    value,
  };
}

/** Written out for the same reason: a bulk is thousands of them. */
function rollbackEvent(
  head: EventHead,
  userId: string,
  terms: RollbackTerms,
  value: Buffer | null,
): RollbackEvent {
  return {
    eventId: head.eventId,
    ceId: head.ceId,
    source: head.source,
    isIdDerived: head.isIdDerived,
    partition: head.partition,
    offset: head.offset,
    timestamp: head.timestamp,
    kind: 'rollback',
    operation: 'rollback',
    userId,
    targets: terms.targets,
    mode: terms.mode,
    upTo: terms.upTo,
    force: terms.force,
    reason: terms.reason,
    operator: terms.operator,
    rules: terms.rules,
    value,
  };
}

function unreadable(
  head: EventHead,
  record: LogRecord,
  context: EnvelopeContext,
  reason: string,
  code: UnreadableEvent['code'] = 'UNREADABLE',
): UnreadableEvent {
  const userId = userIdOfKey(record.key, context.keyType);
  return { ...head, kind: 'unreadable', userId, code, reason, value: record.value };
}

function headOf(record: LogRecord, identity: EventIdentity): EventHead {
  const { eventId, ceId, source, isIdDerived } = identity;
  const { partition, offset, timestamp } = record;
  return { eventId, ceId, source, isIdDerived, partition, offset, timestamp: keepableTime(timestamp) };
}

/** From the year 1 to where JavaScript's dates end; PostgreSQL's timestamps hold all of it. */
const FIRST_TIME = -62_135_596_800_000;
const LAST_TIME = 8.64e15;

/** A record's timestamp as the ledger can hold it. A producer may write any 64 bits (nanoseconds, by mistake). */
function keepableTime(timestamp: number): number {
  return Number.isNaN(timestamp) ? 0 : Math.min(LAST_TIME, Math.max(FIRST_TIME, Math.round(timestamp)));
}

function placeOf(record: LogRecord, context: EnvelopeContext): EventHead {
  return headOf(record, identityOfPlain(record, context.clusterId, context.topic));
}

function dataOfValue(record: LogRecord): JsonObject | null | Unreadable {
  return record.value === null ? null : parseJsonObject(record.value);
}

function dataOfObject(event: JsonObject): JsonObject | null | Unreadable {
  const data = event['data'];
  if ('data_base64' in event) return new Unreadable("the CloudEvent's data is not JSON");
  if (data === undefined || data === null) return null;
  return isJsonObject(data) ? data : new Unreadable("the CloudEvent's data is not a JSON object");
}

const OPERATION_OF_TYPE: ReadonlyMap<string, Operation> = new Map(
  (['create', 'update', 'delete', 'put', 'rollback'] as const).map((operation) => [
    TYPE_OF_OPERATION[operation],
    operation,
  ]),
);
