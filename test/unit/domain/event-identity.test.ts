import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  EVENT_NAMESPACE,
  identityOfCloudEvent,
  identityOfPlace,
} from '../../../src/domain/event-identity.ts';
import type { LogRecord } from '../../../src/domain/record.ts';
import { isCanonicalUuid, uuidV5 } from '../../../src/domain/uuid.ts';

const UUID = '018f3f1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f';

test('an id that is a UUID is the event id, and is kept beside it only where its text differs', () => {
  const plain = { eventId: UUID, ceId: null, source: 'urn:a', isIdDerived: false };
  expect(identityOfCloudEvent(UUID, 'urn:a')).toEqual(plain);
  expect(identityOfCloudEvent(UUID.toUpperCase(), 'urn:a')).toEqual({ ...plain, ceId: UUID.toUpperCase() });
});

test('another id becomes the UUIDv5 of source and id, for ever the same', () => {
  // The namespace and both ids are frozen here: another value would make every event of a log a new one.
  expect(EVENT_NAMESPACE).toBe(uuidV5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'user-events'));
  expect(identityOfCloudEvent('order-1', 'urn:a')).toEqual({
    eventId: '38fcedb8-a6b4-545f-9bdd-8547c3b6eaf1',
    ceId: 'order-1',
    source: 'urn:a',
    isIdDerived: false,
  });
  const record: LogRecord = {
    partition: 3,
    offset: 17n,
    timestamp: 1700000000000,
    key: null,
    value: null,
    headers: [],
  };
  expect(identityOfPlace(record, 'cluster', 'users')).toEqual({
    eventId: '7111abdd-4f8e-55ae-b7bf-4070682bc527',
    ceId: null,
    source: null,
    isIdDerived: true,
  });
});

test('no two pairs of source and id have one identity', () => {
  const part = fc.string({ unit: fc.constantFrom('a', '"', ',', '[', '\\', ']') });
  fc.assert(
    fc.property(part, part, part, part, (sourceA, idA, sourceB, idB) => {
      fc.pre(sourceA !== sourceB || idA !== idB);
      expect(identityOfCloudEvent(idA, sourceA).eventId).not.toBe(identityOfCloudEvent(idB, sourceB).eventId);
    }),
  );
});

test('a place has one id, and another one with any part of it changed', () => {
  const idOf = (clusterId: string, topic: string, partition: number, offset: bigint, timestamp: number) =>
    identityOfPlace({ partition, offset, timestamp, key: null, value: null, headers: [] }, clusterId, topic)
      .eventId;
  const places = fc.tuple(
    fc.string(),
    fc.string(),
    fc.nat(50),
    fc.bigInt({ min: 0n, max: 2n ** 63n - 2n }),
    fc.integer({ min: 0, max: 2 ** 45 }),
  );
  fc.assert(
    fc.property(places, ([cluster, topic, partition, offset, timestamp]) => {
      const ids = [
        idOf(cluster, topic, partition, offset, timestamp),
        idOf(`${cluster}"`, topic, partition, offset, timestamp),
        idOf(cluster, `${topic},`, partition, offset, timestamp),
        idOf(cluster, topic, partition + 1, offset, timestamp),
        idOf(cluster, topic, partition, offset + 1n, timestamp),
        idOf(cluster, topic, partition, offset, timestamp + 1),
      ];
      expect(ids.every(isCanonicalUuid)).toBe(true);
      expect(new Set(ids).size).toBe(ids.length);
      expect(idOf(cluster, topic, partition, offset, timestamp)).toBe(ids[0]);
    }),
  );
});
