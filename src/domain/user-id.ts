import type { JsonValue } from './event.ts';
import { Unreadable } from './unreadable.ts';
import type { KeyType } from './users-table.ts';
import { decodeUtf8, hasLoneSurrogate } from './utf8.ts';
import { isCanonicalUuid } from './uuid.ts';

/** Bytes of UTF-8. Far below what an index entry of PostgreSQL can hold (2,704). */
const MAX_USER_ID_BYTES = 1024;

const INTEGER = /^(?:0|-?[1-9]\d{0,18})$/;
const INTEGER_BITS = { int2: 16, int4: 32, int8: 64 } as const;

/**
 * Why a text is not the id of a user, or null where it is one: the only text that the key column prints for that key
 * (two texts of one key would be two users in the log and one in the table). For text columns every text is.
 */
export function userIdFault(userId: string, keyType: KeyType): string | null {
  if (userId === '') return 'the user id is empty';
  // UTF-8 takes at most three bytes for each unit of a string's length.
  if (userId.length > MAX_USER_ID_BYTES / 3 && Buffer.byteLength(userId) > MAX_USER_ID_BYTES) {
    return `the user id is longer than ${String(MAX_USER_ID_BYTES)} bytes`;
  }
  switch (keyType) {
    case 'text':
    case 'varchar':
      return textFault(userId);
    case 'uuid':
      return isCanonicalUuid(userId) ? null : 'the user id is not a UUID in lower case with hyphens';
    case 'int2':
    case 'int4':
    case 'int8':
      return integerFault(userId, keyType);
  }
}

function textFault(userId: string): string | null {
  if (userId.includes('\0')) return 'the user id contains a NUL character';
  return hasLoneSurrogate(userId) ? 'the user id contains half of a surrogate pair' : null;
}

function integerFault(userId: string, keyType: keyof typeof INTEGER_BITS): string | null {
  if (!INTEGER.test(userId)) return 'the user id is not an integer in its shortest form';
  const id = BigInt(userId);
  return id !== BigInt.asIntN(INTEGER_BITS[keyType], id)
    ? `the user id is outside the range of ${keyType}`
    : null;
}

/** The user id that a record's key is, or null where there is no key or it is not an id. */
export function userIdOfKey(key: Buffer | null, keyType: KeyType): string | null {
  const userId = key === null ? new Unreadable('') : readKey(key, keyType);
  return userId instanceof Unreadable ? null : userId;
}

/**
 * The user id of a record: its key, and `userId` of its value, which must be the same text where both are there.
 * Under an integer key column the value's may be a JSON number. `undefined` is a value without `userId`.
 */
export function readUserId(
  key: Buffer | null,
  inValue: JsonValue | undefined,
  keyType: KeyType,
): string | Unreadable {
  if (inValue === undefined)
    return key === null ? new Unreadable('there is no user id') : readKey(key, keyType);
  const stated = typeof inValue === 'number' && keyType in INTEGER_BITS ? String(inValue) : inValue;
  if (typeof stated !== 'string') return new Unreadable('userId in the value is not a string');
  if (key === null) {
    const fault = userIdFault(stated, keyType);
    return fault === null ? stated : new Unreadable(fault);
  }
  const userId = readKey(key, keyType);
  return userId instanceof Unreadable || userId === stated
    ? userId
    : new Unreadable('the key and userId in the value differ');
}

function readKey(key: Buffer, keyType: KeyType): string | Unreadable {
  const text = decodeUtf8(key);
  if (text === null) return new Unreadable('the key is not UTF-8');
  const fault = userIdFault(text, keyType);
  return fault === null ? text : new Unreadable(fault);
}
