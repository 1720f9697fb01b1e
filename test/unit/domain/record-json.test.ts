import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { EnvelopeContext } from '../../../src/domain/envelope.ts';
import { parseInputLine } from '../../../src/domain/input-line.ts';
import { readEnvelope } from '../../../src/domain/read-envelope.ts';
import { isRecordJson, parseRecordJson, parseTimestamp } from '../../../src/domain/record-json.ts';
import { createRecordPrinter } from '../../../src/domain/record-printer.ts';
import type { LogRecord, NewRecord } from '../../../src/domain/record.ts';
import { Unreadable } from '../../../src/domain/unreadable.ts';

const CONTEXT: EnvelopeContext = {
  clusterId: 'c',
  topic: 'users',
  keyType: 'text',
  ignoreTypes: new Set(),
  mapTypes: new Map(),
};
const ID = '018f3f1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f';
const AT = Date.UTC(2026, 0, 31, 8, 30, 15, 123);

function recordOf(part: Partial<LogRecord>): LogRecord {
  return {
    partition: 3,
    offset: 42n,
    timestamp: AT,
    key: Buffer.from('u1'),
    value: Buffer.from('{"userId":"u1"}'),
    headers: [],
    ...part,
  };
}

function printed(part: Partial<LogRecord>, status?: string): Record<string, unknown> {
  const record = recordOf(part);
  const line: unknown = JSON.parse(
    createRecordPrinter('users')(record, readEnvelope(record, CONTEXT), status),
  );
  return { ...(line as object) };
}

/** Through a line and back, as `log --json | publish --from-file -` does. */
function takenBack(record: LogRecord): NewRecord | Unreadable {
  const line = createRecordPrinter('users')(record, readEnvelope(record, CONTEXT));
  const input = parseInputLine(line);
  return input instanceof Unreadable
    ? input
    : input.kind === 'record'
      ? input.record
      : new Unreadable('no record');
}

const text = (value: string) => ({ value: Buffer.from(value) });

describe('createRecordPrinter', () => {
  test('prints the fields of the contract in their order', () => {
    const headers = [
      { key: 'ce_specversion', value: Buffer.from('1.0') },
      { key: 'ce_id', value: Buffer.from(ID) },
      { key: 'ce_type', value: Buffer.from('user.created') },
      { key: 'ce_source', value: Buffer.from('/crm') },
    ];
    const record = recordOf({ headers, ...text('{"userId":"u1","name":"Ada"}') });
    expect(createRecordPrinter('users')(record, readEnvelope(record, CONTEXT), 'applied')).toBe(
      '{"topic":"users","partition":3,"offset":42,"timestamp":"2026-01-31T08:30:15.123Z","key":"u1",' +
        '"value":{"userId":"u1","name":"Ada"},"valueEncoding":"json","headers":[' +
        '{"key":"ce_specversion","value":"1.0"},' +
        `{"key":"ce_id","value":"${ID}"},{"key":"ce_type","value":"user.created"},` +
        `{"key":"ce_source","value":"/crm"}],"eventId":"${ID}","operation":"create","userId":"u1","status":"applied"}`,
    );
  });

  test('marks an id that follows from the place in the log', () => {
    expect(printed({})).toMatchObject({ idDerived: true, operation: 'put', userId: 'u1' });
  });

  test('has no operation for what cannot be read, and keeps the user of its key', () => {
    expect(printed(text('not json'))).toMatchObject({
      value: 'not json',
      valueEncoding: 'text',
      operation: null,
      userId: 'u1',
    });
  });

  test('prints JSON as JSON whatever its form, with the exact text beside it where that is not the compact one', () => {
    expect(printed(text('{"userId": "u1", "rate": 1.0}'))).toMatchObject({
      value: { userId: 'u1', rate: 1 },
      valueEncoding: 'json',
      valueText: '{"userId": "u1", "rate": 1.0}',
    });
    expect(printed(text('{"userId":"u1"}'))).not.toHaveProperty('valueText');
  });

  test.each([
    ['a number that parsing would change', '{"userId":"u1","n":12345678901234567890}'],
    ['half of a surrogate pair', '{"userId":"u1","n":"\\ud800"}'],
    ['JSON null, which is no null value', 'null'],
    ['an empty value', ''],
    ['a byte order mark', '\ufeff{"userId":"u1"}'],
    ['objects nested too deep for the line around them', `${'{"a":'.repeat(500)}1${'}'.repeat(500)}`],
  ])('prints as text: %s', (_, value) => {
    expect(printed(text(value))).toMatchObject({ value, valueEncoding: 'text' });
  });

  test('prints bytes that are no UTF-8 as base64 in key, value and headers', () => {
    const bytes = Buffer.from([0xff, 0x00, 0x80]);
    expect(printed({ key: bytes, value: bytes, headers: [{ key: 'h', value: bytes }] })).toMatchObject({
      key: '/wCA',
      keyEncoding: 'base64',
      value: '/wCA',
      valueEncoding: 'base64',
      headers: [{ key: 'h', value: '/wCA', encoding: 'base64' }],
    });
  });

  test('keeps a null key, a null value and a header without a value', () => {
    const line = printed({ key: null, value: null, headers: [{ key: 'h', value: null }] });
    expect(line).toMatchObject({ key: null, value: null, headers: [{ key: 'h', value: null }] });
    expect(line).not.toHaveProperty('valueEncoding');
  });

  test('prints a timestamp beyond every calendar as the number it is', () => {
    expect(printed({ timestamp: 1.7e18 })).toMatchObject({ timestamp: 1.7e18 });
  });
});

describe('parseRecordJson', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)),
    fc.string({ unit: 'binary', maxLength: 20 }).map((string) => Buffer.from(string)),
    fc.json({ maxDepth: 3 }).map((string) => Buffer.from(string)),
    fc.json({ maxDepth: 3 }).map((string) => Buffer.from(JSON.stringify(JSON.parse(string), null, 1))),
    fc
      .constantFrom(
        '{"a": 1}',
        '{"b":1,"1":2}',
        '{"__proto__":{"topic":"x"}}',
        '"\\ud83d\\ude00"',
        '-0',
        '1e400',
      )
      .map((s) => Buffer.from(s)),
  );
  const someRecord: fc.Arbitrary<LogRecord> = fc.record({
    partition: fc.nat(100),
    offset: fc.bigInt({ min: 0n, max: 2n ** 50n }),
    timestamp: fc.oneof(fc.integer({ min: -1, max: 4e12 }), fc.constantFrom(8.64e15, 1.7e18)),
    key: fc.option(bytes),
    value: fc.option(bytes),
    headers: fc.array(fc.record({ key: fc.string({ unit: 'binary' }), value: fc.option(bytes) }), {
      maxLength: 4,
    }),
  });

  test('takes every record back byte for byte', () => {
    fc.assert(
      fc.property(someRecord, (record) => {
        const { key, value, headers, timestamp } = record;
        const expected = { key, value, headers, timestamp };
        expect(takenBack(record)).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  test('takes a record back that a tool has passed through with its members sorted', () => {
    const record = recordOf(text('{"userId": "u1", "b": [1, {"d": 1, "c": 2.0}], "a": null}'));
    const { value, ...line } = printed(record);
    const sorted = { ...line, value: { a: null, b: [1, { c: 2, d: 1 }], userId: 'u1' } };
    expect(value).toEqual(sorted.value);
    expect(parseInputLine(JSON.stringify(sorted))).toMatchObject({ record: { value: record.value } });
  });

  const line = { topic: 't', partition: 0, offset: 1, key: 'u1', headers: [] };

  test('takes a string without an encoding as the text itself, as other tools print values', () => {
    expect(parseRecordJson({ ...line, value: '{"userId":"u1"}' })).toMatchObject({
      value: Buffer.from('{"userId":"u1"}'),
    });
    expect(parseRecordJson({ ...line, value: { userId: 'u1' } })).toMatchObject({
      value: Buffer.from('{"userId":"u1"}'),
    });
  });

  test.each([
    [
      'a value that was edited beside its exact text',
      { value: { a: 2 }, valueEncoding: 'json', valueText: '{"a": 1}' },
    ],
    ['an encoding that is not known', { value: 'x', valueEncoding: 'hex' }],
    ['a value that is not base64', { value: '!', valueEncoding: 'base64' }],
    ['text that is no string', { value: 1, valueEncoding: 'text' }],
    ['a key that is no string', { key: 1 }],
    ['headers that are no list', { headers: {} }],
    ['a header without a key', { headers: [{ value: 'x' }] }],
    ['a timestamp without a zone', { timestamp: '2026-01-31T08:30:15' }],
    ['half of a surrogate pair', { value: '\ud800' }],
  ])('refuses %s', (_, part) => {
    expect(parseRecordJson({ ...line, value: null, ...part })).toBeInstanceOf(Unreadable);
  });

  test('takes a line for a record where it says topic, partition and offset', () => {
    expect(isRecordJson({ topic: 't', partition: 0, offset: 1 })).toBe(true);
    expect(isRecordJson({ topic: 't', partition: 0 })).toBe(false);
  });
});

describe('parseTimestamp', () => {
  test.each([
    ['2026-01-31T08:30:15.123Z', AT],
    ['2026-01-31T09:30:15.123+01:00', AT],
    [AT, AT],
    ['2026-01-31', null],
    ['2026-13-31T08:30:15Z', null],
    [1.5, null],
    [true, null],
  ])('reads %p', (value, expected) => {
    expect(parseTimestamp(value)).toBe(expected);
  });
});
