import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalUuid, isCanonicalUuid, uuidV5, uuidV7 } from '../../../src/domain/uuid.ts';

const DNS_NAMESPACE = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';

test('version 5 gives the value that RFC 9562 prints in its appendix', () => {
  expect(uuidV5(DNS_NAMESPACE, 'www.example.com')).toBe('2ed6657d-e927-568b-95e1-2665a8aea6a2');
});

test('version 7 gives the value that RFC 9562 prints in its appendix', () => {
  const random = Buffer.from('0cc318c4dc0c0c07398f', 'hex');
  expect(uuidV7(0x017f22e279b0, random)).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
});

test('version 7 refuses fewer than ten random bytes', () => {
  expect(() => uuidV7(0, new Uint8Array(9))).toThrow(RangeError);
});

test('both versions make canonical UUIDs with their version and the variant of the RFC', () => {
  const random = fc.uint8Array({ minLength: 10, maxLength: 12 });
  fc.assert(
    fc.property(
      fc.uuid(),
      fc.string({ unit: 'binary' }),
      fc.nat(),
      random,
      (namespace, name, nowMs, bytes) => {
        expect(uuidV5(namespace, name)).toMatch(/^.{14}5.{4}[89ab]/);
        expect(isCanonicalUuid(uuidV5(namespace, name))).toBe(true);
        expect(uuidV7(nowMs, bytes)).toMatch(/^.{14}7.{4}[89ab]/);
        expect(isCanonicalUuid(uuidV7(nowMs, bytes))).toBe(true);
      },
    ),
  );
});

test('ids of version 7 are in the order of their times', () => {
  const at = fc.tuple(
    fc.integer({ min: 0, max: 2 ** 48 - 1 }),
    fc.uint8Array({ minLength: 10, maxLength: 10 }),
  );
  fc.assert(
    fc.property(at, at, ([earlier, a], [later, b]) => {
      fc.pre(earlier < later);
      expect(uuidV7(earlier, a) < uuidV7(later, b)).toBe(true);
    }),
  );
});

test('a UUID in capitals becomes canonical, other forms are none', () => {
  expect(canonicalUuid('550E8400-E29B-41D4-A716-446655440000')).toBe('550e8400-e29b-41d4-a716-446655440000');
  for (const text of [
    '',
    '550e8400e29b41d4a716446655440000',
    '{550e8400-e29b-41d4-a716-446655440000}',
    'urn:uuid:550e8400-e29b-41d4-a716-446655440000',
    '550e8400-e29b-41d4-a716-44665544000g',
    '550e8400-e29b-41d4-a716-446655440000\n',
  ]) {
    expect(canonicalUuid(text)).toBeNull();
  }
});
