import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseJsonObject, parseJsonObjectText } from '../../../src/domain/parse-json.ts';
import { Unreadable } from '../../../src/domain/unreadable.ts';

test.each<[string, string | Buffer, string]>([
  ['no bytes', '', 'the value is not JSON'],
  ['cut off', '{"userId":"u1"', 'the value is not JSON'],
  ['a byte order mark', '\ufeff{}', 'the value is not JSON'],
  ['an array', '[1]', 'the value is not a JSON object'],
  ['null', 'null', 'the value is not a JSON object'],
  ['a string', '"u1"', 'the value is not a JSON object'],
  ['a number', '12345678901234567890', 'the value is not a JSON object'],
  ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'the value is not UTF-8'],
  ['501 levels', `${'{"a":'.repeat(501)}1${'}'.repeat(501)}`, 'the value is nested deeper than 500 levels'],
  [
    'a long number',
    '{"n":12345678901234567890}',
    'the value has a number that would be changed by parsing it',
  ],
  ['half a pair', '{"n":[{"a":"\\ud800"}]}', 'the value has a string with half of a surrogate pair'],
  ['half a pair in a name', '{"\\udc00":1}', 'the value has a string with half of a surrogate pair'],
])('refuses %s', (_, value, reason) => {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  expect(parseJsonObject(bytes)).toEqual(new Unreadable(reason));
});

test('reads any JSON object that JSON.stringify prints, as JSON.parse does', () => {
  const objects = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' }));
  fc.assert(
    fc.property(objects, (object) => {
      const text = JSON.stringify(object);
      expect(parseJsonObjectText(text)).toEqual(JSON.parse(text));
      expect(parseJsonObject(Buffer.from(text))).toEqual(JSON.parse(text));
    }),
  );
});

test('reads escaped pairs, escaped backslashes before what looks like an escape, and 500 levels', () => {
  expect(parseJsonObjectText('{"a":"\\ud83d\\ude00"}')).toEqual({ a: '😀' });
  expect(parseJsonObjectText('{"a":"\\\\ud800"}')).toEqual({ a: '\\ud800' });
  expect(parseJsonObjectText(`${'{"a":'.repeat(500)}1${'}'.repeat(500)}`)).not.toBeInstanceOf(Unreadable);
});

test('does not repeat the value in the reason', () => {
  const secret = 'jane@example.com';
  const read = parseJsonObjectText(`{"email": ${secret}}`);
  expect(read).toBeInstanceOf(Unreadable);
  expect(JSON.stringify(read)).not.toContain(secret);
});
