import { describe, expect, test } from '@jest/globals';
import { parseInputLine } from '../../../src/domain/input-line.ts';
import { lineEventId } from '../../../src/domain/line-event-id.ts';
import { Unreadable } from '../../../src/domain/unreadable.ts';
import { isCanonicalUuid } from '../../../src/domain/uuid.ts';

const ID = '018f3f1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f';

function lineOf(line: object): string {
  return JSON.stringify(line);
}

describe('parseInputLine', () => {
  test('reads an operation with all that it may carry', () => {
    const line = lineOf({
      operation: 'create',
      userId: 'u1',
      data: { name: 'Ada', userId: 'u1' },
      eventId: ID,
      time: '2026-01-31T08:00:00Z',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      causationId: 'order-7',
    });
    expect(parseInputLine(line)).toEqual({
      kind: 'event',
      event: {
        kind: 'cud',
        operation: 'create',
        userId: 'u1',
        fields: { name: 'Ada' },
        eventId: ID,
        timestamp: Date.UTC(2026, 0, 31, 8),
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        causationId: 'order-7',
      },
    });
  });

  test('reads a plain user as a put', () => {
    expect(parseInputLine(lineOf({ userId: 'u 1 🙂', name: null }))).toEqual({
      kind: 'event',
      event: { kind: 'cud', operation: 'put', userId: 'u 1 🙂', fields: { name: null } },
    });
  });

  test('takes an integer id for its text', () => {
    expect(parseInputLine(lineOf({ userId: 7 }))).toMatchObject({ event: { userId: '7' } });
    expect(parseInputLine(lineOf({ operation: 'delete', userId: 7, data: { userId: 7 } }))).toMatchObject({
      event: { userId: '7', fields: {} },
    });
  });

  test('reads a record with what its line claims; a derived id claims nothing', () => {
    const record = { topic: 't', partition: 0, offset: 1, key: 'u1', value: null, headers: [], eventId: ID };
    expect(parseInputLine(lineOf({ ...record, operation: 'delete', userId: 'u1' }))).toMatchObject({
      kind: 'record',
      record: { key: Buffer.from('u1'), value: null, headers: [] },
      claims: { eventId: ID, operation: 'delete', userId: 'u1' },
    });
    expect(parseInputLine(lineOf({ ...record, idDerived: true }))).toMatchObject({
      claims: { eventId: null },
    });
  });

  test.each([
    ['not JSON', '{"userId":', 'the line is not JSON'],
    ['no object', '[1]', 'the line is not a JSON object'],
    ['a number that parsing changes', '{"userId":"u1","n":12345678901234567890}', 'changed by parsing'],
    ['nothing that is known', '{"name":"Ada"}', 'there is no userId'],
    ['an unknown operation', '{"operation":"upsert","userId":"u1"}', 'operation is none of'],
    ['a rollback', '{"operation":"rollback","userId":"u1"}', 'rollback command'],
    ['an operation without a user', '{"operation":"create","data":{}}', 'there is no userId'],
    ['fields beside data', '{"operation":"create","userId":"u1","name":"Ada"}', 'go into data'],
    ['data that is a list', '{"operation":"create","userId":"u1","data":[]}', 'data is not a JSON object'],
    ['another user in data', '{"operation":"put","userId":"u1","data":{"userId":"u2"}}', 'differ'],
    [
      'a delete with data',
      '{"operation":"delete","userId":"u1","data":{"name":"A"}}',
      'a delete carries no data',
    ],
    ['an id that is no text', '{"operation":"put","userId":"u1","eventId":7}', 'eventId is not a text'],
    ['an empty id', '{"operation":"put","userId":"u1","eventId":""}', 'eventId is empty'],
    ['a traceparent of another form', '{"operation":"put","userId":"u1","traceparent":"x"}', 'W3C'],
    [
      'a time without a zone',
      '{"operation":"put","userId":"u1","time":"2026-01-31T08:00:00"}',
      'time is neither',
    ],
    ['a user id that is a list', '{"userId":[]}', 'userId is not a text'],
  ])('says why a line is refused: %s', (_, line, reason) => {
    const refused = parseInputLine(line);
    expect(refused).toBeInstanceOf(Unreadable);
    expect(refused).toHaveProperty('reason', expect.stringContaining(reason));
  });

  test('says nothing of the user in a reason', () => {
    const refused = parseInputLine('{"operation":"secret-operation","userId":"secret","secret":"secret"}');
    expect(JSON.stringify(refused)).not.toContain('secret');
  });
});

describe('lineEventId', () => {
  test('gives the same run and line the same id, in the order of the lines', () => {
    const ids = [1, 2, 255, 4096, 1_000_000, 2 ** 32 - 1].map((line) => lineEventId(ID, line));
    expect(ids.every((id) => isCanonicalUuid(id) && id.charAt(14) === '7')).toBe(true);
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    expect(lineEventId(ID, 255)).toBe(ids[2]);
  });

  test('gives another run another id, though it began in the same millisecond', () => {
    const other = `${ID.slice(0, 30)}000000`;
    expect(lineEventId(other, 1)).not.toBe(lineEventId(ID, 1));
  });
});
