import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { EnvelopeContext } from '../../../src/domain/envelope.ts';
import { readEnvelope } from '../../../src/domain/read-envelope.ts';
import type { LogRecord, NewRecord } from '../../../src/domain/record.ts';
import type { KeyType } from '../../../src/domain/users-table.ts';
import { writeEnvelope } from '../../../src/domain/write-envelope.ts';
import { outgoingOfAnyKey } from '../../support/arbitrary-events.ts';

const ID = '018f3f1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f';

function contextOf(keyType: KeyType): EnvelopeContext {
  return { clusterId: 'c', topic: 't', keyType, ignoreTypes: new Set(), mapTypes: new Map() };
}

/** The record as the log gives it back. */
function stored(record: NewRecord, offset: bigint): LogRecord {
  const { key, value, headers, partition = 0, timestamp = 1 } = record;
  return { key, value, headers, partition, timestamp, offset };
}

function headersOf(record: NewRecord): [string, string | undefined][] {
  return record.headers.map(({ key, value }) => [key, value?.toString()]);
}

describe('writeEnvelope', () => {
  test('writes binary mode with four headers, the key and the user in front of the value', () => {
    const fields = { name: 'Zoë', tags: ['a'] };
    const record = writeEnvelope(
      { kind: 'cud', operation: 'create', eventId: ID, userId: 'u1', fields },
      'urn:crm',
    );
    expect(headersOf(record)).toEqual([
      ['ce_specversion', '1.0'],
      ['ce_id', ID],
      ['ce_type', 'user.created'],
      ['ce_source', 'urn:crm'],
    ]);
    expect(record.key?.toString()).toBe('u1');
    expect(record.value?.toString()).toBe('{"userId":"u1","name":"Zoë","tags":["a"]}');
    expect(Object.keys(record).sort()).toEqual(['headers', 'key', 'value']);
  });

  test('adds the extensions, the partition and the time where they are given', () => {
    const record = writeEnvelope(
      {
        kind: 'cud',
        operation: 'put',
        eventId: ID,
        userId: 'u1',
        fields: {},
        partition: 3,
        timestamp: 5,
        causationId: 'cause',
        traceparent: '00-x-y-01',
      },
      's',
    );
    expect(headersOf(record).slice(4)).toEqual([
      ['ce_causationid', 'cause'],
      ['traceparent', '00-x-y-01'],
    ]);
    expect(record).toMatchObject({ partition: 3, timestamp: 5 });
  });

  test('a delete carries the id alone', () => {
    const record = writeEnvelope(
      { kind: 'cud', operation: 'delete', eventId: ID, userId: 'u1', fields: { name: 'x' } },
      's',
    );
    expect(record.value?.toString()).toBe('{"userId":"u1"}');
  });

  test('a userId among the fields does not displace the id', () => {
    const record = writeEnvelope(
      { kind: 'cud', operation: 'put', eventId: ID, userId: 'u1', fields: { a: 1, userId: 'u2' } },
      's',
    );
    expect(record.value?.toString()).toBe('{"userId":"u1","a":1}');
  });

  test('a rollback carries its terms, rules included, and goes where it is sent', () => {
    const record = writeEnvelope(
      {
        kind: 'rollback',
        eventId: ID,
        userId: '7',
        partition: 4,
        targets: [ID],
        mode: 'cascade',
        upTo: null,
        force: false,
        reason: 'typo',
        operator: null,
        rules: 'lenient',
      },
      's',
    );
    expect(record.partition).toBe(4);
    expect(JSON.parse(record.value?.toString() ?? '')).toEqual({
      userId: '7',
      targets: [ID],
      mode: 'cascade',
      upTo: null,
      force: false,
      reason: 'typo',
      operator: null,
      rules: 'lenient',
    });
  });
});

describe('readEnvelope of writeEnvelope', () => {
  test('is the event, for any event under any type of key', () => {
    const sources = fc.string({ unit: 'grapheme', minLength: 1 }).filter((source) => !source.includes('\0'));
    fc.assert(
      fc.property(outgoingOfAnyKey, sources, fc.bigInt({ min: 0n }), ([keyType, event], source, offset) => {
        const record = stored(writeEnvelope(event, source), offset);
        const operation = event.kind === 'cud' ? event.operation : 'rollback';
        const fields = event.kind === 'cud' ? { fields: operation === 'delete' ? {} : event.fields } : {};
        const common = { ceId: null, source, isIdDerived: false, offset, value: record.value };
        expect(readEnvelope(record, contextOf(keyType))).toEqual({
          ...event,
          ...fields,
          ...common,
          operation,
        });
      }),
      { numRuns: 1000 },
    );
  });

  test('stays the event in structured mode and with the members of the value in another order', () => {
    fc.assert(
      fc.property(outgoingOfAnyKey, ([keyType, event]) => {
        const binary = stored(writeEnvelope(event, 'urn:x'), 1n);
        const data: unknown = JSON.parse(binary.value?.toString() ?? '');
        const type = binary.headers.find(({ key }) => key === 'ce_type')?.value?.toString();
        const value = { data, source: 'urn:x', type, id: event.eventId, specversion: '1.0' };
        const headers = [{ key: 'content-type', value: Buffer.from('application/cloudevents+json') }];
        const structured = { ...binary, headers, value: Buffer.from(JSON.stringify(value)) };
        const context = contextOf(keyType);
        expect({ ...readEnvelope(structured, context), value: null }).toEqual({
          ...readEnvelope(binary, context),
          value: null,
        });
      }),
    );
  });
});
