import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { prepareLine, type EncodingContext } from '../../../src/app/publish/prepare-line.ts';
import { CUD_OPERATIONS } from '../../../src/domain/event.ts';
import { parseInputLine } from '../../../src/domain/input-line.ts';
import { lineEventId } from '../../../src/domain/line-event-id.ts';
import { readEnvelope } from '../../../src/domain/read-envelope.ts';
import { Unreadable } from '../../../src/domain/unreadable.ts';
import { KEY_TYPES } from '../../../src/domain/users-table.ts';
import { writeEnvelope } from '../../../src/domain/write-envelope.ts';
import { outgoing } from '../../support/arbitrary-events.ts';

const RUN = '018f3f1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f';
const CONTEXT: EncodingContext = {
  envelope: {
    clusterId: 'c',
    topic: 't',
    keyType: 'text',
    ignoreTypes: new Set(['seen']),
    mapTypes: new Map(),
  },
  source: 'urn:test',
  now: 1_700_000_000_000,
};

/** What a consumer makes of an event that was encoded: what the short way of a plain line must come to as well. */
function writtenAndRead(text: string, line: number, context: EncodingContext) {
  const input = parseInputLine(text);
  if (input instanceof Unreadable) return { reason: input.reason };
  if (input.kind === 'record') throw new Error('not a line of an event');
  const record = writeEnvelope({ eventId: lineEventId(RUN, line), ...input.event }, context.source);
  const { key, value, headers, timestamp = context.now } = record;
  const place = { partition: 0, offset: 0n, timestamp };
  const event = readEnvelope({ ...place, key, value, headers }, context.envelope);
  if (event.kind === 'unreadable') return { reason: event.reason };
  if (event.kind === 'ignored') throw new Error('an event of ours is never passed over');
  const { eventId, operation, userId } = event;
  return { record, eventId, operation, type: operation, userId };
}

const operations = fc.constantFrom(...CUD_OPERATIONS);
const strangeIds = fc.oneof(
  fc.constantFrom('', '\0', '\ud800', '01', '-0', '7', '2147483648', 'é'.repeat(513), 7, 2 ** 31),
  fc.string({ unit: 'binary' }),
  fc.uuid().map((id) => id.toUpperCase()),
);
const optional = {
  eventId: fc.oneof(fc.uuid(), fc.string({ unit: 'binary' })),
  time: fc.oneof(fc.nat(), fc.constantFrom('2026-01-01T00:00:00Z', 'yesterday', 1e300)),
  traceparent: fc.constantFrom(`00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, 'no'),
};

test.each(KEY_TYPES)(
  'a line is taken where a consumer can read what is made of it under a key of type %s, and is known as it is read',
  (keyType) => {
    const counts = { good: 0, bad: 0 };
    const context = { ...CONTEXT, envelope: { ...CONTEXT.envelope, keyType } };
    const line = fc
      .record(
        { event: outgoing(keyType), operation: operations, strangeId: strangeIds, ...optional },
        { requiredKeys: ['event'] },
      )
      .map(({ event, operation, strangeId, ...stated }) => {
        const userId = strangeId ?? event.userId;
        const fields = event.kind === 'cud' ? event.fields : {};
        if (operation === undefined) return { ...fields, userId };
        return { operation, userId, ...stated, ...(operation === 'delete' ? {} : { data: fields }) };
      });
    fc.assert(
      fc.property(line, fc.nat(2 ** 31), (json, number) => {
        const text = JSON.stringify(json);
        const raw = { number, bytes: Buffer.from(text), isTooLong: false };
        const expected = writtenAndRead(text, number, context);
        const prepared = prepareLine(raw, RUN, context);
        if (prepared === null) throw new Error('the line is not blank');
        counts['reason' in expected ? 'bad' : 'good'] += 1;
        if ('reason' in expected) {
          expect(prepared).toMatchObject({ line: number, reason: expect.stringContaining(expected.reason) });
          return;
        }
        if ('reason' in prepared) throw new Error(prepared.reason);
        const { record, eventId, operation, type, userId } = prepared;
        expect({ record, eventId, operation, type, userId }).toEqual(expected);
        expect(prepared.hasOwnId).toBe('eventId' in json);
      }),
      { numRuns: 600 },
    );
    expect(counts.good).toBeGreaterThan(10);
    expect(counts.bad).toBeGreaterThan(10);
  },
);

test('a record of the log is known as a consumer reads it, and refused where it cannot be read', () => {
  const text = (record: object): Buffer =>
    Buffer.from(JSON.stringify({ topic: 't', partition: 0, offset: 1, ...record }));
  const read = (record: object) =>
    prepareLine({ number: 3, bytes: text(record), isTooLong: false }, RUN, CONTEXT);
  const headers = [
    { key: 'ce_id', value: RUN },
    { key: 'ce_type', value: 'seen' },
  ];
  expect(read({ key: 'u', value: 'x', headers })).toMatchObject({
    operation: null,
    type: 'seen',
    userId: 'u',
  });
  expect(read({ key: 'u', value: '{}', headers: [] })).toMatchObject({ operation: 'put', isIdDerived: true });
  expect(read({ key: 'u', value: 'x', headers: [] })).toEqual({ line: 3, reason: 'the value is not JSON' });
});
