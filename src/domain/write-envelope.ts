import { HEADER, TYPE_OF_OPERATION, type OutgoingEvent, type OutgoingRollbackEvent } from './envelope.ts';
import type { JsonObject } from './event.ts';
import type { NewRecord, RecordHeader } from './record.ts';

const SPEC_VERSION: RecordHeader = { key: HEADER.specVersion, value: Buffer.from('1.0') };

/**
 * The record of an event: binary mode with the four required headers and no more (each costs time and bytes), the two
 * extensions where they are given. The key is the user id; the value is JSON with `userId` in front, a JSON string
 * whatever the key column's type. A `userId` among the fields is overwritten. `source` is the `ce_source`.
 */
export function writeEnvelope(event: OutgoingEvent, source: string): NewRecord {
  const operation = event.kind === 'rollback' ? 'rollback' : event.operation;
  const headers: RecordHeader[] = [
    SPEC_VERSION,
    header(HEADER.id, event.eventId),
    header(HEADER.type, TYPE_OF_OPERATION[operation]),
    header(HEADER.source, source),
  ];
  if (event.causationId !== undefined) headers.push(header(HEADER.causationId, event.causationId));
  if (event.traceparent !== undefined) headers.push(header(HEADER.traceparent, event.traceparent));
  return {
    key: Buffer.from(event.userId),
    value: Buffer.from(JSON.stringify(valueOf(event))),
    headers,
    ...(event.partition === undefined ? {} : { partition: event.partition }),
    ...(event.timestamp === undefined ? {} : { timestamp: event.timestamp }),
  };
}

function header(key: string, value: string): RecordHeader {
  return { key, value: Buffer.from(value) };
}

function valueOf(event: OutgoingEvent): JsonObject {
  if (event.kind === 'rollback') return rollbackValue(event);
  if (event.operation === 'delete') return { userId: event.userId };
  // The first mention of a name gives the place, the last one the value.
  const value: JsonObject = { userId: event.userId, ...event.fields };
  value['userId'] = event.userId;
  return value;
}

function rollbackValue(event: OutgoingRollbackEvent): JsonObject {
  const { userId, targets, mode, upTo, force, reason, operator, rules } = event;
  return { userId, targets: [...targets], mode, upTo, force, reason, operator, rules };
}
