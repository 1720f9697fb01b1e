import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { JsonValue } from '../../../src/domain/event.ts';
import { Unreadable } from '../../../src/domain/unreadable.ts';
import { readUserId, userIdFault, userIdOfKey } from '../../../src/domain/user-id.ts';
import type { KeyType } from '../../../src/domain/users-table.ts';

describe('userIdFault', () => {
  test.each<[KeyType, string]>([
    ['text', 'u1'],
    ['text', ' '],
    ['text', 'Zoë 😀'],
    ['varchar', '007'],
    ['text', 'x'.repeat(1024)],
    ['uuid', '550e8400-e29b-41d4-a716-446655440000'],
    ['uuid', '00000000-0000-0000-0000-000000000000'],
    ['int2', '-32768'],
    ['int2', '32767'],
    ['int4', '0'],
    ['int4', '2147483647'],
    ['int8', '9223372036854775807'],
    ['int8', '-9223372036854775808'],
  ])('%s: %j is the id of a user', (keyType, userId) => {
    expect(userIdFault(userId, keyType)).toBeNull();
  });

  test.each<[KeyType, string]>([
    ['text', ''],
    ['text', 'a\0b'],
    ['text', '\ud800'],
    ['text', 'x'.repeat(1025)],
    ['varchar', 'é'.repeat(513)],
    ['uuid', '550E8400-E29B-41D4-A716-446655440000'],
    ['uuid', '550e8400e29b41d4a716446655440000'],
    ['uuid', 'u1'],
    ['int2', '32768'],
    ['int4', '-2147483649'],
    ['int8', '9223372036854775808'],
    ['int8', '-9223372036854775809'],
    ['int8', '99999999999999999999'],
    ['int4', '007'],
    ['int4', '+7'],
    ['int4', '-0'],
    ['int4', ' 7'],
    ['int4', '7\n'],
    ['int4', '1e2'],
    ['int4', '٣'],
    ['int4', ''],
  ])('%s: %j is not', (keyType, userId) => {
    expect(userIdFault(userId, keyType)).not.toBeNull();
  });

  test('of the texts that mean one integer exactly the one that is printed is its id', () => {
    const forms = fc.tuple(
      fc.bigInt({ min: -(2n ** 15n), max: 2n ** 15n - 1n }),
      fc.constantFrom('', '+', '0', '00'),
    );
    fc.assert(
      fc.property(forms, ([id, prefix]) => {
        const text = prefix + String(id);
        expect(userIdFault(text, 'int2') === null).toBe(text === String(id));
      }),
    );
  });
});

describe('readUserId', () => {
  test.each<[KeyType, string | null, JsonValue | undefined, string]>([
    ['text', 'u1', 'u1', 'u1'],
    ['text', 'u1', undefined, 'u1'],
    ['text', null, 'u1', 'u1'],
    ['int4', '7', 7, '7'],
    ['int4', '7', '7', '7'],
    ['int8', null, -7, '-7'],
  ])('%s: key %j and userId %j are user %j', (keyType, key, inValue, userId) => {
    expect(readUserId(key === null ? null : Buffer.from(key), inValue, keyType)).toBe(userId);
  });

  test.each<[KeyType, Buffer | null, JsonValue | undefined, string]>([
    ['text', null, undefined, 'there is no user id'],
    ['text', Buffer.from('u1'), 'u2', 'the key and userId in the value differ'],
    ['text', Buffer.from('7'), 7, 'userId in the value is not a string'],
    ['text', Buffer.from('u1'), null, 'userId in the value is not a string'],
    ['text', Buffer.from([0xff]), 'u1', 'the key is not UTF-8'],
    ['text', Buffer.alloc(0), 'u1', 'the user id is empty'],
    ['text', null, '\ud800', 'the user id contains half of a surrogate pair'],
    ['text', Buffer.from('a\0'), 'a\0', 'the user id contains a NUL character'],
    ['text', Buffer.alloc(1025, 'x'), undefined, 'the user id is longer than 1024 bytes'],
    ['int4', Buffer.from('7'), 7.5, 'the key and userId in the value differ'],
    ['int4', null, 7.5, 'the user id is not an integer in its shortest form'],
    ['int4', Buffer.from('007'), 7, 'the user id is not an integer in its shortest form'],
    ['int8', null, 1e21, 'the user id is not an integer in its shortest form'],
    ['int4', Buffer.from([0, 0, 0, 7]), 7, 'the user id is not an integer in its shortest form'],
  ])('%s: key %j and userId %j are none: %s', (keyType, key, inValue, reason) => {
    expect(readUserId(key, inValue, keyType)).toEqual(new Unreadable(reason));
  });
});

test('the user of a key is its text, or null where it is not an id', () => {
  expect(userIdOfKey(Buffer.from('u1'), 'text')).toBe('u1');
  expect(userIdOfKey(Buffer.from('u1'), 'uuid')).toBeNull();
  expect(userIdOfKey(Buffer.from([0xc3]), 'text')).toBeNull();
  expect(userIdOfKey(null, 'text')).toBeNull();
});
