import { describe, expect, test } from '@jest/globals';
import { ID, STRUCTURED, read, record } from '../../support/wire-records.ts';

describe('CloudEvents in structured mode', () => {
  const event = {
    specversion: '1.0',
    id: ID,
    type: 'user.updated',
    source: 'urn:crm',
    time: 'any',
    data: { userId: 'u1', name: 'J' },
  };

  test('reads attributes and data from the value', () => {
    const input = record('u1', event, { ...STRUCTURED, ce_type: 'user.deleted' });
    expect(read(input)).toMatchObject({
      kind: 'cud',
      operation: 'update',
      eventId: ID,
      source: 'urn:crm',
      fields: { name: 'J' },
      value: Buffer.from('{"userId":"u1","name":"J"}'),
    });
    expect(read(record(null, event, STRUCTURED))).toMatchObject({ userId: 'u1' });
  });

  test('the content type is compared without regard to case', () => {
    const input = record('u1', event, { 'content-type': 'Application/CloudEvents+JSON' });
    expect(read(input)).toMatchObject({ kind: 'cud', operation: 'update' });
  });

  test.each<[string, object, object]>([
    ['a delete without data', { ...event, type: 'user.deleted', data: undefined }, { operation: 'delete' }],
    ['a delete with null as data', { ...event, type: 'user.deleted', data: null }, { operation: 'delete' }],
    [
      'a rollback',
      { ...event, type: 'user.rolledback', data: { targets: [ID], mode: 'only' } },
      { kind: 'rollback' },
    ],
    ['a type to ignore', { ...event, type: 'user.seen', data: 'x' }, { kind: 'ignored' }],
    ['an unknown type', { ...event, type: 'x' }, { kind: 'unreadable', code: 'UNKNOWN_TYPE' }],
    ['an update without data', { ...event, data: undefined }, { kind: 'unreadable', eventId: ID }],
    ['data that is a list', { ...event, data: [] }, { reason: "the CloudEvent's data is not a JSON object" }],
    [
      'data in base64',
      { ...event, data: undefined, data_base64: 'e30=' },
      { reason: "the CloudEvent's data is not JSON" },
    ],
    ['no id', { ...event, id: undefined }, { reason: "the CloudEvent's id is missing", isIdDerived: true }],
    [
      'an id that is a number',
      { ...event, id: 5 },
      { reason: "the CloudEvent's id is not a text", isIdDerived: true },
    ],
  ])('%s', (_, value, expected) => {
    expect(read(record('u1', value, STRUCTURED))).toMatchObject(expected);
  });

  test.each([
    'application/cloudevents+avro',
    'application/cloudevents-batch+json',
    'application/cloudevents',
  ])('%s is not read', (contentType) => {
    expect(read(record('u1', event, { 'content-type': contentType }))).toMatchObject({
      kind: 'unreadable',
      reason: 'the CloudEvent is in a format other than JSON',
    });
  });

  test('what is not JSON cannot be read, and a null value is a tombstone', () => {
    expect(read(record('u1', '<event/>', STRUCTURED))).toMatchObject({
      kind: 'unreadable',
      reason: 'the value is not JSON',
    });
    expect(read(record('u1', null, STRUCTURED))).toMatchObject({
      kind: 'cud',
      operation: 'delete',
      isIdDerived: true,
    });
  });
});
