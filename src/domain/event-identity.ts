import { OWN_HEADER } from './dead-letter-headers.ts';
import type { EventHead } from './event.ts';
import type { LogRecord } from './record.ts';
import { canonicalUuid, isCanonicalUuid, uuidV5 } from './uuid.ts';

/** What makes two records the same event. */
export type EventIdentity = Pick<EventHead, 'eventId' | 'ceId' | 'source' | 'isIdDerived'>;

/** The namespace of the ids made here: UUIDv5 of the DNS namespace and `user-events`. Fixed for ever. */
export const EVENT_NAMESPACE = 'eb16d6b9-8475-577c-9309-58b4c01f3a4c';

/**
 * The identity of a CloudEvent, (source, id), as a UUID: the id itself where it is one, else the UUIDv5 of both.
 * `source` null is an event without one.
 */
export function identityOfCloudEvent(id: string, source: string | null): EventIdentity {
  if (isCanonicalUuid(id)) return { eventId: id, ceId: null, source, isIdDerived: false };
  // JSON keeps (source, id) unambiguous: no two pairs make one text.
  const eventId = canonicalUuid(id) ?? uuidV5(EVENT_NAMESPACE, JSON.stringify([source, id]));
  return { eventId, ceId: id, source, isIdDerived: false };
}

/**
 * The identity of a record that carries none: the UUIDv5 of where it lies and of its timestamp. A record that was put back
 * from a dead-letter topic keeps the identity of where it lay first: whoever executed it there does not do so again.
 */
export function identityOfPlain(record: LogRecord, clusterId: string, topic: string): EventIdentity {
  const kept = record.headers.findLast(({ key }) => key === OWN_HEADER.originalId)?.value?.toString();
  if (kept === undefined || !isCanonicalUuid(kept)) return identityOfPlace(record, clusterId, topic);
  return { eventId: kept, ceId: null, source: null, isIdDerived: true };
}

/** The UUIDv5 of where a record lies and of its timestamp. */
export function identityOfPlace(record: LogRecord, clusterId: string, topic: string): EventIdentity {
  const { partition, offset, timestamp } = record;
  const place = JSON.stringify([clusterId, topic, partition, offset.toString(), timestamp]);
  return { eventId: uuidV5(EVENT_NAMESPACE, place), ceId: null, source: null, isIdDerived: true };
}
