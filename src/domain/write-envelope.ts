import { HEADER, TYPE_OF_OPERATION, type OutgoingEvent, type OutgoingRollbackEvent } from './envelope.ts';
import type { JsonObject, Operation } from './event.ts';
import type { NewRecord, RecordHeader } from './record.ts';

const SPEC_VERSION: RecordHeader = { key: HEADER.specVersion, value: Buffer.from('1.0') };
const TYPES: Readonly<Record<Operation, RecordHeader>> = {
  create: header(HEADER.type, TYPE_OF_OPERATION.create),
  update: header(HEADER.type, TYPE_OF_OPERATION.update),
  delete: header(HEADER.type, TYPE_OF_OPERATION.delete),
  put: header(HEADER.type, TYPE_OF_OPERATION.put),
  rollback: header(HEADER.type, TYPE_OF_OPERATION.rollback),
};

/**
 * The record of an event: binary mode with the four required headers and no more (each costs time and bytes), the two
 * extensions where they are given. The key is the user id; the value is JSON with `userId` in front, a JSON string
 * whatever the key column's type. A `userId` among the fields is overwritten. `source` is the `ce_source`.
 */
export function writeEnvelope(event: OutgoingEvent, source: string): NewRecord {
  const headers: RecordHeader[] = [
    SPEC_VERSION,
    header(HEADER.id, event.eventId),
    TYPES[event.kind === 'rollback' ? 'rollback' : event.operation],
    sourceHeader(source),
  ];
  if (event.causationId !== undefined) headers.push(header(HEADER.causationId, event.causationId));
  if (event.traceparent !== undefined) headers.push(header(HEADER.traceparent, event.traceparent));
  const key = Buffer.from(event.userId);
  const value = Buffer.from(valueOf(event));
  const { partition, timestamp } = event;
  // Spreading what is mostly not there costs more than all the rest.
  if (partition === undefined && timestamp === undefined) return { key, value, headers };
  return {
    key,
    value,
    headers,
    ...(partition === undefined ? {} : { partition }),
    ...(timestamp === undefined ? {} : { timestamp }),
  };
}

function header(key: string, value: string): RecordHeader {
  return { key, value: Buffer.from(value) };
}

let lastSource: { readonly source: string; readonly header: RecordHeader } | undefined;

/** One process publishes under one source. */
function sourceHeader(source: string): RecordHeader {
  if (lastSource?.source !== source) lastSource = { source, header: header(HEADER.source, source) };
  return lastSource.header;
}

function valueOf(event: OutgoingEvent): string {
  const user = `{"userId":${JSON.stringify(event.userId)}`;
  if (event.kind === 'rollback') return withMembers(user, rollbackMembers(event));
  if (event.operation === 'delete') return `${user}}`;
  const { fields } = event;
  if (!Object.hasOwn(fields, 'userId')) return withMembers(user, fields);
  const { userId: _, ...others } = fields;
  return withMembers(user, others);
}

/** An object's text, begun with its first member, and the other members behind it. */
function withMembers(begun: string, members: JsonObject): string {
  const text = JSON.stringify(members);
  return text === '{}' ? `${begun}}` : `${begun},${text.slice(1)}`;
}

function rollbackMembers(event: OutgoingRollbackEvent): JsonObject {
  const { targets, mode, upTo, force, reason, operator, rules } = event;
  return { targets: [...targets], mode, upTo, force, reason, operator, rules };
}
