import { describe, expect, test } from '@jest/globals';
import type { EnvelopeContext } from '../../../src/domain/envelope.ts';
import { ID, ce, read, record, type Headers } from '../../support/wire-records.ts';

describe('foreign records', () => {
  test.each<[string, Headers]>([
    ['plain JSON', {}],
    ["JSON of Spring's serializer", { __TypeId__: 'com.example.User', 'content-type': 'application/json' }],
    ['JSON with an extension of CloudEvents alone', { ce_tenant: 'x' }],
  ])('%s is a put with an id of its place', (_, headers) => {
    expect(read(record('u1', { userId: 'u1', name: 'Jane' }, headers))).toMatchObject({
      kind: 'cud',
      operation: 'put',
      isIdDerived: true,
      ceId: null,
      source: null,
      userId: 'u1',
      fields: { name: 'Jane' },
    });
  });

  test('without a key the user is the one of the value', () => {
    expect(read(record(null, { userId: 'u1' }))).toMatchObject({ kind: 'cud', userId: 'u1' });
  });

  test('a null value is a delete', () => {
    expect(read(record('u1', null))).toMatchObject({
      kind: 'cud',
      operation: 'delete',
      userId: 'u1',
      value: null,
    });
    expect(read(record(null, null))).toMatchObject({
      kind: 'unreadable',
      userId: null,
      reason: 'there is no user id',
    });
  });

  test('under an integer key userId may be a number', () => {
    expect(read(record('7', { userId: 7, a: 1 }), { keyType: 'int4' })).toMatchObject({
      userId: '7',
      fields: { a: 1 },
    });
    expect(read(record(null, { userId: 7 }), { keyType: 'int8' })).toMatchObject({ userId: '7' });
    expect(read(record('7', { userId: 7 }))).toMatchObject({ kind: 'unreadable' });
  });

  test('a field called __proto__ is data like any other', () => {
    const event = read(record('u1', '{"userId":"u1","__proto__":{"admin":true}}'));
    expect(event.kind === 'cud' && Object.entries(event.fields)).toEqual([['__proto__', { admin: true }]]);
    expect(event.kind === 'cud' && event.fields['admin']).toBeUndefined();
  });
});

describe('what cannot be read', () => {
  test.each<[string, string | null, string, Partial<EnvelopeContext>, string | null]>([
    ['bad JSON', 'u1', '{', {}, 'u1'],
    ['no object', 'u1', '["u1"]', {}, 'u1'],
    ['an empty value', 'u1', '', {}, 'u1'],
    ['no user id', null, '{"name":"x"}', {}, null],
    ['key and userId that differ', 'u1', '{"userId":"u2"}', {}, 'u1'],
    ['bad JSON without a key', null, '{', {}, null],
    ['a key that is not canonical', '007', '{"userId":"007"}', { keyType: 'int4' }, null],
    ['a userId that is not canonical', null, '{"userId":"007"}', { keyType: 'int4' }, null],
    ['a UUID in capitals', ID.toUpperCase(), '{}', { keyType: 'uuid' }, null],
    ['a key with NUL', 'a\0b', '{}', {}, null],
    ['a key that is too long', 'x'.repeat(1025), '{}', {}, null],
    ['an empty key', '', '{"userId":"u1"}', {}, null],
    ['a number that does not survive', 'u1', '{"n":0.1234567890123456789}', {}, 'u1'],
    ['half a surrogate pair as userId', null, '{"userId":"\\udc00"}', {}, null],
    ['levels without end', 'u1', `${'{"a":'.repeat(600)}{}${'}'.repeat(600)}`, {}, 'u1'],
  ])('%s', (_, key, value, context, userId) => {
    const input = record(key, value);
    expect(read(input, context)).toMatchObject({
      kind: 'unreadable',
      code: 'UNREADABLE',
      userId,
      value: input.value,
      isIdDerived: true,
    });
    // The identity is the event's own where it has one.
    const withId = { ...input, headers: record(null, null, ce('user.put')).headers };
    expect(read(withId, context)).toMatchObject({
      kind: 'unreadable',
      code: 'UNREADABLE',
      userId,
      eventId: ID,
    });
  });

  test('a key and a value that are not UTF-8', () => {
    const input = record('u1', '{}');
    expect(read({ ...input, value: Buffer.from([0xc3, 0x28]) })).toMatchObject({
      kind: 'unreadable',
      userId: 'u1',
    });
    expect(read({ ...input, key: Buffer.from([0xc3, 0x28]) })).toMatchObject({
      kind: 'unreadable',
      userId: null,
    });
  });
});
