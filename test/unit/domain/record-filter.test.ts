import { describe, expect, test } from '@jest/globals';
import { readEnvelope } from '../../../src/domain/read-envelope.ts';
import { isWanted, mayMatch, type RecordFilter } from '../../../src/domain/record-filter.ts';
import { ce, CONTEXT, ID, record, STRUCTURED } from '../../support/wire-records.ts';

const created = record('u1', { userId: 'u1', name: 'Ada' }, ce('user.created'));
const named = record('u1', { userId: 'u1' }, ce('user.put', { ce_id: 'order-7' }));
const structured = record(
  'u1',
  { specversion: '1.0', id: ID, type: 'user.put', source: '/x', data: { userId: 'u1' } },
  STRUCTURED,
);
const broken = record('u1', 'nope');

function matches(input: typeof created, filter: RecordFilter): boolean {
  const event = readEnvelope(input, CONTEXT);
  const isMatch = isWanted(input, event, filter);
  // What is wanted may never be ruled out beforehand.
  if (isMatch) expect(mayMatch(input, filter)).toBe(true);
  return mayMatch(input, filter) && isMatch;
}

describe('the filter of log', () => {
  test('takes everything where nothing is asked', () => {
    for (const each of [created, named, structured, broken]) expect(matches(each, {})).toBe(true);
  });

  test('finds an event by its UUID in any case, by its producer’s id, and by the id that is made of that', () => {
    expect(matches(created, { eventId: ID })).toBe(true);
    expect(matches(created, { eventId: ID.toUpperCase() })).toBe(true);
    expect(matches(structured, { eventId: ID })).toBe(true);
    expect(matches(named, { eventId: 'order-7' })).toBe(true);
    expect(matches(named, { eventId: readEnvelope(named, CONTEXT).eventId })).toBe(true);
    expect(matches(broken, { eventId: readEnvelope(broken, CONTEXT).eventId })).toBe(true);
    expect(matches(named, { eventId: ID })).toBe(false);
  });

  test('chooses by user, operation and text', () => {
    expect(matches(created, { userId: 'u1' })).toBe(true);
    expect(matches(created, { userId: 'u' })).toBe(false);
    expect(matches(record(null, { userId: 'u1' }), { userId: 'u1' })).toBe(true);
    expect(matches(created, { operations: new Set(['create', 'delete']) })).toBe(true);
    expect(matches(created, { operations: new Set(['put']) })).toBe(false);
    expect(matches(broken, { operations: new Set(['unreadable']) })).toBe(true);
    expect(matches(record('u1', null, ce('user.seen')), { operations: new Set(['ignored']) })).toBe(true);
    expect(matches(created, { pattern: /Ada/ })).toBe(true);
    expect(matches(created, { pattern: /urn:crm/ })).toBe(true);
    expect(matches(created, { pattern: /Grace/ })).toBe(false);
  });
});
