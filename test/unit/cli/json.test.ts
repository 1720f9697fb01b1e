import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toJson, toResultJson } from '../../../src/cli/json.ts';
import { RawJson } from '../../../src/domain/raw-json.ts';

test('an offset keeps every digit', () => {
  expect(toJson({ offset: 9223372036854775807n })).toBe('{"offset":9223372036854775807}');
});

test('a result carries its command and version first', () => {
  expect(toResultJson('users get', { userId: 'u1', row: null })).toBe(
    '{"_command":"users get","_version":1,"userId":"u1","row":null}',
  );
});

test('raw JSON is printed as it was written, on one line', () => {
  expect(toJson({ row: new RawJson('{"n": 12345678901234567890,\n "m": 1.0}') })).toBe(
    '{"row":{"n": 12345678901234567890,  "m": 1.0}}',
  );
});

test('what a terminal would act on is escaped, and means the same', () => {
  const text = 'csi \u009b31m, turned \u202eround, \u001b[0m';
  const line = toJson({ text });
  expect(line).not.toMatch(/[\p{Cc}\u2028-\u202e]/u);
  expect(JSON.parse(line)).toEqual({ text });
});

test('undefined members are left out, dates are ISO 8601', () => {
  expect(toJson({ a: undefined, b: [undefined], at: new Date(0) })).toBe(
    '{"b":[null],"at":"1970-01-01T00:00:00.000Z"}',
  );
});

test('every JSON value reads back as it was', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const line = toJson(value);
      expect(line).not.toContain('\n');
      expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
