import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { EnvelopeContext } from '../../../src/domain/envelope.ts';
import { readEnvelope } from '../../../src/domain/read-envelope.ts';
import type { LogRecord, RecordHeader } from '../../../src/domain/record.ts';
import { userIdFault } from '../../../src/domain/user-id.ts';
import { KEY_TYPES, type KeyType } from '../../../src/domain/users-table.ts';
import { writeEnvelope } from '../../../src/domain/write-envelope.ts';
import { outgoing } from '../../support/arbitrary-events.ts';

const ID = '018f3f1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f';

function contextOf(keyType: KeyType): EnvelopeContext {
  return {
    clusterId: 'c',
    topic: 't',
    keyType,
    ignoreTypes: new Set(['seen']),
    mapTypes: new Map([['mapped', 'put']]),
  };
}

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 64 }).map((input) => Buffer.from(input)),
  fc.jsonValue({ stringUnit: 'binary' }).map((value) => Buffer.from(JSON.stringify(value))),
  fc
    .constantFrom(
      '',
      '{}',
      '{"userId":"u1"}',
      '{"userId":7}',
      'u1',
      '7',
      ID,
      ID.toUpperCase(),
      '{"userId":"\\ud800"}',
    )
    .map((text) => Buffer.from(text)),
  outgoing('text').map((event) => writeEnvelope(event, 's').value ?? Buffer.alloc(0)),
  fc
    .record(
      {
        specversion: fc.constant('1.0'),
        id: fc.jsonValue(),
        type: fc.jsonValue(),
        source: fc.jsonValue(),
        data: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    .map((event) => Buffer.from(JSON.stringify(event))),
);
const anyHeader: fc.Arbitrary<RecordHeader> = fc.record({
  key: fc.oneof(
    fc.constantFrom(
      'ce_id',
      'ce_type',
      'ce_source',
      'ce_specversion',
      'ce_time',
      'content-type',
      '__TypeId__',
    ),
    fc.string(),
  ),
  value: fc.option(
    fc.oneof(
      bytes,
      fc
        .constantFrom(
          '1.0',
          ID,
          'user.created',
          'user.deleted',
          'user.rolledback',
          'seen',
          'mapped',
          'application/cloudevents+json',
        )
        .map((text) => Buffer.from(text)),
    ),
  ),
});
const anyRecord: fc.Arbitrary<LogRecord> = fc.record({
  partition: fc.nat(),
  offset: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  timestamp: fc.integer({ min: -1 }),
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.array(anyHeader, { maxLength: 7 }),
});

describe('readEnvelope of anything', () => {
  test('never throws, says the same each time, and never names a user that the key column cannot hold', () => {
    fc.assert(
      fc.property(anyRecord, fc.constantFrom(...KEY_TYPES), (record, keyType) => {
        const context = contextOf(keyType);
        const event = readEnvelope(record, context);
        expect(readEnvelope(record, context)).toEqual(event);
        expect(event.eventId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
        expect(event.value).toBe(record.value);
        if (event.userId !== null) expect(userIdFault(event.userId, keyType)).toBeNull();
        if (event.kind === 'unreadable' || event.kind === 'ignored') {
          const isOfKey = event.userId === null || event.userId === record.key?.toString();
          expect(isOfKey).toBe(true);
        }
      }),
      { numRuns: 5000 },
    );
  });

  test('meets every kind of event in that', () => {
    const kinds = new Set(
      fc.sample(anyRecord, { numRuns: 5000, seed: 1 }).map((record) => {
        const context = contextOf('text');
        const event = readEnvelope(record, context);
        return event.kind === 'unreadable' ? event.code : event.kind;
      }),
    );
    expect([...kinds].sort()).toEqual(['UNKNOWN_TYPE', 'UNREADABLE', 'cud', 'ignored']);
  });
});
