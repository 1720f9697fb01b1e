import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { prepareLine, type EncodingContext } from '../../../src/app/publish/prepare-line.ts';
import { CUD_OPERATIONS } from '../../../src/domain/event.ts';
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

const ids = fc.oneof(
  fc.uuid(),
  fc.uuid().map((id) => id.toUpperCase()),
  fc.string({ unit: 'binary' }),
);
const operation = fc
  .record(
    {
      operation: fc.constantFrom(...CUD_OPERATIONS, 'upsert'),
      event: outgoing('text'),
      eventId: ids,
      time: fc.oneof(fc.nat(), fc.constant('2026-01-01T00:00:00Z'), fc.constant('yesterday')),
    },
    { requiredKeys: ['operation', 'event'] },
  )
  .map(({ event, ...line }) => ({
    ...line,
    userId: event.userId,
    ...(event.kind === 'cud' && line.operation !== 'delete' ? { data: event.fields } : {}),
  }));
const user = outgoing('text').map((event) => ({
  ...(event.kind === 'cud' ? event.fields : {}),
  userId: event.userId,
}));
const record = fc.record({
  partition: fc.nat(3),
  offset: fc.nat(),
  key: fc.option(fc.string()),
  value: fc.option(fc.oneof(fc.string(), fc.json())),
  headers: fc.constantFrom(
    [],
    [
      { key: 'ce_id', value: RUN },
      { key: 'ce_type', value: 'seen' },
    ],
  ),
});
const lines = fc.oneof(operation, user, record, fc.string()).map((line) => JSON.stringify(line));

test('a line that was found good is encoded to the same record and facts without asking again', () => {
  let good = 0;
  fc.assert(
    fc.property(lines, fc.nat(2 ** 31), (text, number) => {
      const raw = { number, bytes: Buffer.from(text), isTooLong: false };
      const first = prepareLine(raw, RUN, CONTEXT);
      if (first === null || 'reason' in first) return;
      good += 1;
      expect(prepareLine(raw, RUN, { ...CONTEXT, isChecked: true })).toEqual(first);
    }),
    { numRuns: 1_000 },
  );
  expect(good).toBeGreaterThan(200);
});
