import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  classify,
  eventErrorCode,
  isConnectionLoss,
  type FailureClass,
  type FailurePlace,
} from '../../../src/domain/failure.ts';

const OURS = {
  ledgerSchema: 'user_events',
  usersSchema: 'public',
  usersTable: 'users',
  usersKeyConstraints: ['users_pkey', 'users_user_id_key'],
};

describe('classify', () => {
  test.each<[FailureClass, readonly string[]]>([
    [
      'transient',
      [
        '08000',
        '08003',
        '08006',
        '08P01',
        '40001',
        '40P01',
        '53000',
        '53100',
        '53200',
        '53300',
        '55P03',
        '25006',
        '25P03',
        '57P01',
        '57P02',
        '57P03',
        '57P04',
        '57P05',
      ],
    ],
    [
      'environment',
      [
        ...['28000', '28P01', '3D000', '3F000', '42501', '42P01', '42703', '42601', '42883', '42804'],
        ...['58030', '58P01', 'F0000', 'XX000', 'XX001'],
      ],
    ],
    [
      'record',
      [
        '22001',
        '22003',
        '22P02',
        '22021',
        '23502',
        '23503',
        '23505',
        '23514',
        '23P01',
        'P0001',
        'P0002',
        'P0003',
        'P0004',
        '54000',
        '54001',
        '21000',
      ],
    ],
    ['timeout', ['57014']],
    ['fenced', ['UE001']],
    ['stale', ['UE002']],
    ['bug', ['0A000', '25001', '25P02', '26000', '40002', '55000', '57000', 'UE003', 'ABC12', '', '2']],
  ])('%s: %j', (expected, states) => {
    for (const state of states) expect([state, classify(state, {}, OURS)]).toEqual([state, expected]);
  });

  test.each<[FailureClass, string, FailurePlace]>([
    ['stale', '23505', { schema: 'user_events', table: 'ledger', constraint: 'ledger_event_id' }],
    ['stale', '23505', { schema: 'user_events', table: 'ledger', constraint: 'ledger_offset' }],
    ['stale', '23505', { schema: 'public', table: 'users', constraint: 'users_pkey' }],
    ['stale', '23505', { schema: 'public', table: 'users', constraint: 'users_user_id_key' }],
    ['record', '23505', { schema: 'public', table: 'users', constraint: 'users_email_key' }],
    ['record', '23505', { schema: 'crm', table: 'users', constraint: 'users_pkey' }],
    ['record', '23505', { schema: 'crm', table: 'ledger', constraint: 'ledger_offset' }],
    ['record', '23505', { schema: 'public', table: 'addresses', constraint: 'users_pkey' }],
    ['record', '23503', { schema: 'public', table: 'orders', constraint: 'orders_user' }],
    ['record', '23514', { schema: 'public', table: 'users', constraint: 'users_pkey' }],
    ['bug', '23505', { schema: 'user_events', table: 'attempt', constraint: 'attempt_pkey' }],
    ['bug', '23514', { schema: 'user_events', table: 'ledger', constraint: 'ledger_status' }],
    ['bug', '23502', { schema: 'user_events', table: 'ledger' }],
    ['environment', '42501', { schema: 'user_events', table: 'ledger' }],
    ['transient', '40001', { schema: 'user_events', table: 'position' }],
  ])('%s: %s of %j', (expected, state, where) => {
    expect(classify(state, where, OURS)).toBe(expected);
  });

  test('a users table in the schema of the ledger keeps its own refusals', () => {
    const ours = { ...OURS, usersSchema: 'user_events' };
    expect(classify('23514', { schema: 'user_events', table: 'users', constraint: 'users_name' }, ours)).toBe(
      'record',
    );
    expect(classify('23505', { schema: 'user_events', table: 'users', constraint: 'users_pkey' }, ours)).toBe(
      'stale',
    );
    expect(
      classify('23514', { schema: 'user_events', table: 'ledger', constraint: 'ledger_status' }, ours),
    ).toBe('bug');
  });

  test('an error without an SQLSTATE is a bug', () => {
    expect(classify(undefined, {}, OURS)).toBe('bug');
  });

  test('what is in our own schema is never the fault of an event', () => {
    const states = fc.string({
      unit: fc.constantFrom(...Array.from('0123456789ABPUX')),
      minLength: 5,
      maxLength: 5,
    });
    fc.assert(
      fc.property(states, (state) => {
        fc.pre(state !== '21000');
        expect(classify(state, { schema: 'user_events', table: 'ledger' }, OURS)).not.toBe('record');
      }),
      { numRuns: 1000 },
    );
  });
});

test.each([
  ['23505', 'DATABASE_CONSTRAINT'],
  ['23514', 'DATABASE_CONSTRAINT'],
  ['22P02', 'DATABASE_VALUE'],
  ['54000', 'DATABASE_VALUE'],
  ['21000', 'DATABASE_VALUE'],
  ['P0001', 'DATABASE_TRIGGER'],
  ['57014', 'STATEMENT_TIMEOUT'],
])('an event refused with %s failed by %s', (state, code) => {
  expect(eventErrorCode(state)).toBe(code);
});

test("a lost connection is known by Node's codes alone", () => {
  for (const code of ['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN']) {
    expect(isConnectionLoss(code)).toBe(true);
  }
  for (const code of [undefined, '', '23505', 'EACCES', 'ERR_INVALID_ARG_TYPE'])
    expect(isConnectionLoss(code)).toBe(false);
});
