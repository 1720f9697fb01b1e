import { describe, expect, test } from '@jest/globals';
import { ID, ce, read, record, type Headers } from '../../support/wire-records.ts';

describe('CloudEvents in binary mode', () => {
  test('gives every part of the event', () => {
    const input = record('u1', { userId: 'u1', name: 'Jane', tags: [1, null] }, ce('user.created'));
    expect(read(input)).toEqual({
      kind: 'cud',
      operation: 'create',
      eventId: ID,
      ceId: null,
      source: 'urn:crm',
      isIdDerived: false,
      partition: 2,
      offset: 41n,
      timestamp: 1700000000123,
      userId: 'u1',
      fields: { name: 'Jane', tags: [1, null] },
      value: input.value,
    });
  });

  test.each([
    ['user.created', 'create'],
    ['user.updated', 'update'],
    ['user.put', 'put'],
    ['com.example.UserRegistered', 'create'],
  ])('%s is a %s', (type, operation) => {
    expect(read(record('u1', { name: 'Jane' }, ce(type)))).toMatchObject({
      kind: 'cud',
      operation,
      fields: { name: 'Jane' },
    });
  });

  test.each([
    ['the id alone', { userId: 'u1' }],
    ['the whole user', { userId: 'u1', name: 'Jane' }],
    ['nothing', {}],
    ['null', null],
  ])('a delete whose value is %s has no fields', (_, value) => {
    for (const type of ['user.deleted', 'com.example.UserGone']) {
      const event = read(record('u1', value, ce(type)));
      expect(event).toMatchObject({ kind: 'cud', operation: 'delete', userId: 'u1' });
      expect(event).toHaveProperty('fields', {});
    }
  });

  test('a rollback has its terms and no fields', () => {
    const value = { userId: 'u1', targets: [ID], mode: 'only', reason: 'typo' };
    expect(read(record('u1', value, ce('user.rolledback')))).toMatchObject({
      kind: 'rollback',
      operation: 'rollback',
      userId: 'u1',
      targets: [ID],
      mode: 'only',
      upTo: null,
      force: false,
      reason: 'typo',
      operator: null,
      rules: 'strict',
    });
  });

  test('other attributes and headers are tolerated', () => {
    const more = {
      ce_time: 'yesterday',
      'content-type': 'application/json',
      ce_partitionkey: null,
      traceparent: 'x',
      ce_x: '',
    };
    expect(read(record('u1', {}, ce('user.put', more)))).toMatchObject({ kind: 'cud', eventId: ID });
  });

  test('of a header that repeats the last one counts', () => {
    const input = record('u1', {}, ce('user.created'));
    const repeated = {
      ...input,
      headers: [...input.headers, { key: 'ce_type', value: Buffer.from('user.updated') }],
    };
    expect(read(repeated)).toMatchObject({ operation: 'update' });
    const emptied = { ...input, headers: [...input.headers, { key: 'ce_type', value: null }] };
    expect(read(emptied)).toMatchObject({ kind: 'unreadable', reason: "the CloudEvent's type is missing" });
  });

  test('an id that is no UUID is kept beside the one made of source and id', () => {
    const first = read(record('u1', {}, ce('user.put', { ce_id: 'A-1' })));
    const second = read(record('u2', {}, ce('user.put', { ce_id: 'A-1', ce_source: 'urn:shop' })));
    expect(first).toMatchObject({ kind: 'cud', ceId: 'A-1', isIdDerived: false });
    expect(second.eventId).not.toBe(first.eventId);
  });

  test('source and specversion may be missing where the id is a UUID', () => {
    const input = record('u1', {}, { ce_id: ID, ce_type: 'user.put' });
    expect(read(input)).toMatchObject({ kind: 'cud', eventId: ID, source: null });
  });

  test('a type to ignore is passed over without reading the value', () => {
    expect(read(record('u1', 'not JSON', ce('user.seen')))).toMatchObject({
      kind: 'ignored',
      eventId: ID,
      userId: 'u1',
      ceType: 'user.seen',
    });
    expect(read(record(null, null, ce('user.seen')))).toMatchObject({ kind: 'ignored', userId: null });
  });

  test('to ignore a type wins over mapping it, and our own types are neither ignored nor mapped', () => {
    expect(read(record('u1', {}, ce('both')))).toMatchObject({ kind: 'ignored' });
    const ours = record('u1', {}, ce('user.created'));
    expect(read(ours)).toMatchObject({ operation: 'create' });
    expect(read(ours, { ignoreTypes: new Set(['user.created']) })).toMatchObject({ operation: 'create' });
  });

  test('a type that nobody named is UNKNOWN_TYPE, with the identity of the event', () => {
    expect(read(record('u1', {}, ce('user.renamed')))).toMatchObject({
      kind: 'unreadable',
      code: 'UNKNOWN_TYPE',
      eventId: ID,
      userId: 'u1',
    });
  });

  test.each<[string, Headers, string, boolean]>([
    ['no id', { ce_type: 'user.put', ce_source: 'a' }, "the CloudEvent's id is missing", true],
    ['only a specversion', { ce_specversion: '1.0' }, "the CloudEvent's id is missing", true],
    ['an id without a value', ce('user.put', { ce_id: null }), "the CloudEvent's id is missing", true],
    ['an empty id', ce('user.put', { ce_id: '' }), "the CloudEvent's id is not a text", true],
    ['a NUL in the id', ce('user.put', { ce_id: 'a\0' }), "the CloudEvent's id is not a text", true],
    [
      'an id that is not UTF-8',
      ce('user.put', { ce_id: Buffer.from([0xff]) }),
      "the CloudEvent's id is not a text",
      true,
    ],
    [
      'no source beside an id that is no UUID',
      { ce_id: '1', ce_type: 'user.put' },
      "the CloudEvent's source is missing, and its id is not a UUID",
      true,
    ],
    [
      'a NUL in the source',
      ce('user.put', { ce_source: '\0' }),
      "the CloudEvent's source is not a text",
      true,
    ],
    ['no type', ce(null), "the CloudEvent's type is missing", false],
    [
      'another version',
      ce('user.put', { ce_specversion: '0.3' }),
      "the CloudEvent's specversion is not 1.0",
      false,
    ],
  ])('cannot be read with %s', (_, headers, reason, isIdDerived) => {
    const event = read(record('u1', {}, headers));
    expect(event).toMatchObject({
      kind: 'unreadable',
      code: 'UNREADABLE',
      userId: 'u1',
      reason,
      isIdDerived,
    });
    if (!isIdDerived) expect(event.eventId).toBe(ID);
  });

  test.each(['user.created', 'user.updated', 'user.put', 'user.rolledback'])(
    'a null value is no %s',
    (type) => {
      expect(read(record('u1', null, ce(type)))).toMatchObject({
        kind: 'unreadable',
        eventId: ID,
        userId: 'u1',
        value: null,
      });
    },
  );

  test('a rollback whose terms are wrong cannot be read', () => {
    expect(read(record('u1', { userId: 'u1', targets: ['x'] }, ce('user.rolledback')))).toMatchObject({
      kind: 'unreadable',
      code: 'UNREADABLE',
      userId: 'u1',
      reason: 'targets is not a list of event ids',
    });
  });
});
