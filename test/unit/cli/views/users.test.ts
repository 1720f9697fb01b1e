import { describe, expect, test } from '@jest/globals';
import type { UserDetails, UserEvent } from '../../../../src/app/users.ts';
import { RawJson } from '../../../../src/domain/raw-json.ts';
import { PLAIN_STYLE, type Style } from '../../../../src/cli/theme.ts';
import { renderUser, renderUsers, renderUserThen, wayOn } from '../../../../src/cli/views/users.ts';

const USER = '7f0c1c52-9d0b-4d3e-8a57-0d5f0c2f9a11';
const ids = ['1', '2', '3'].map((n) => `018f3f1e-7a2b-7c3d-8e4f-00000000000${n}`);
const at = (width: number | null): Style => ({ ...PLAIN_STYLE, width });

const event = (n: number, more: Partial<UserEvent> = {}): UserEvent => ({
  eventId: ids[n] ?? '',
  partition: 1,
  offset: BigInt(n) + 12n,
  timestamp: '2026-01-31T08:00:01.500Z',
  operation: 'update',
  status: 'applied',
  fields: null,
  withdraws: null,
  blockedBy: null,
  error: null,
  ...more,
});
const history = [
  event(0),
  event(1, {
    status: 'failed',
    error: { code: 'USER_EXISTS', message: 'The user exists\u001b[31m' },
  }),
  event(2, { status: 'parked', blockedBy: ids[1] ?? '' }),
];
const text = { columns: ['user_id', 'name'], texts: [USER, null] };
const render = (style: Style): string[] => {
  const details: UserDetails = { userId: USER, row: new RawJson('{}'), history };
  return renderUser(details, text, style).split('\n').slice(3);
};

describe('a history', () => {
  test('has each event in a line, why below it', () => {
    expect(render(at(100))).toEqual([
      'TIME                  POSITION  OPERATION  STATUS   EVENT',
      `2026-01-31 08:00:01Z  1@12      update     applied  ${String(ids[0])}`,
      `2026-01-31 08:00:01Z  1@13      update     failed   ${String(ids[1])}`,
      '  USER_EXISTS: The user exists\\x1b[31m',
      `2026-01-31 08:00:01Z  1@14      update     parked   ${String(ids[2])}`,
      `  behind ${String(ids[1])}`,
    ]);
  });

  test('has ids below, whole, where a terminal is too narrow for them', () => {
    expect(render(at(80))).toEqual([
      'TIME                  POSITION  OPERATION  STATUS',
      '2026-01-31 08:00:01Z  1@12      update     applied',
      `  ${String(ids[0])}`,
      '2026-01-31 08:00:01Z  1@13      update     failed',
      `  ${String(ids[1])}  USER_EXISTS: The user exists\\x1b[31m`,
      '2026-01-31 08:00:01Z  1@14      update     parked',
      `  ${String(ids[2])}`,
      `  behind ${String(ids[1])}`,
    ]);
  });

  test('is a line an event without a terminal, with milliseconds', () => {
    const lines = render(at(null));
    expect(lines).toHaveLength(4);
    expect(lines[2]).toMatch(/^2026-01-31T08:00:01.500Z .* USER_EXISTS: The user exists\\x1b\[31m$/);
  });
});

test('a list of users keeps their ids whole in 60 columns', () => {
  const columns = ['user_id', 'name', 'email', 'attributes'];
  const users = [
    { userId: USER, row: new RawJson('{}'), texts: [USER, 'Augusta Ada King', 'ada@example.com', '{}'] },
  ];
  expect(renderUsers({ columns, users, next: null }, at(60)).split('\n')).toEqual([
    'user_id                               name      email      …',
    `${USER}  Augusta…  ada@exam…  …`,
  ]);
});

test('a value that is wider than the terminal goes on below', () => {
  const details: UserDetails = { userId: USER, row: new RawJson('{}') };
  const long = { columns: ['user_id', 'name'], texts: [USER, '長い'.repeat(20)] };
  expect(renderUser(details, long, at(60)).split('\n').slice(1)).toEqual([
    `name     ${'長い'.repeat(12)}長`,
    `         い${'長い'.repeat(7)}`,
  ]);
});

test('the way on is a flag that a shell takes as it is', () => {
  expect(wayOn({ after: 'u1' })).toBe('--offset-id u1');
  expect(wayOn({ after: "zoë's 🙂" })).toBe(`--offset-id 'zoë'\\''s 🙂'`);
  expect(wayOn({ skip: 20 })).toBe('--skip 20');
});

test('a user as of then is shown as the table has one, texts without quotes', () => {
  const row = {
    name: new RawJson('"Ada\\u001b"'),
    age: new RawJson('36'),
    email: new RawJson('null'),
    tags: new RawJson('["a"]'),
  };
  const then = { userId: USER, at: '4', eventId: ids[0] ?? '', partition: 1, offset: 4n, row };
  const shown = renderUserThen({ ...then, timestamp: '2026-01-31T08:00:01.500Z' }, at(80)).split('\n');
  expect(shown.slice(0, 4)).toEqual(['name   Ada\\x1b', 'age    36', 'email  NULL', 'tags   ["a"]']);
  expect(shown.at(-1)).toContain('at 1@4, published 2026-01-31 08:00:01Z');
});
