import { expect, test } from '@jest/globals';
import { PLAIN_STYLE } from '../../../../src/cli/theme.ts';
import { renderInit } from '../../../../src/cli/views/init.ts';

const RESULT = {
  database: 'localhost:5432/orders',
  schema: 'user_events',
  migrations: ['000001_ledger'],
  table: 'public.users',
  tableCreated: true,
  isChanged: false,
  keyColumn: 'user_id',
  columns: ['name', 'email'],
  extraColumn: null,
  createdColumn: null,
  updatedColumn: null,
  rules: 'strict',
  log: 'localhost:9092',
  topic: 'user-events',
  topicCreated: true,
  partitions: 4,
  deadLetterTopic: null,
  deadLetterTopicCreated: false,
} as const;

test('what was set up is said, and what to do next', () => {
  expect(renderInit(RESULT, PLAIN_STYLE, ' --profile orders')).toBe(
    [
      '✓ Ledger user_events in localhost:5432/orders',
      '✓ Table public.users made; key user_id; events carry name, email',
      '✓ Rules strict: a create of a user that exists fails, so does an update or delete of one that does not',
      '✓ Topic user-events on localhost:9092, made, 4 partitions',
      '',
      'Next: user-events publish create u1 --name Ada --profile orders and user-events consume --profile orders',
    ].join('\n'),
  );
});

test('what was there already is told apart', () => {
  const again = { ...RESULT, migrations: [], tableCreated: false, topicCreated: false, columns: [] };
  const text = renderInit(again, PLAIN_STYLE, '');
  expect(text).toContain('in localhost:5432/orders, there already');
  expect(text).toContain('Table public.users found; key user_id; events carry none');
  expect(text).toContain('on localhost:9092, there already');
});
