import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/domain/event.ts';
import { readRollbackValue } from '../../../src/domain/rollback-value.ts';
import { Unreadable } from '../../../src/domain/unreadable.ts';

const A = '018f3f1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f';
const B = '550e8400-e29b-41d4-a716-446655440000';
const FULL: JsonObject = {
  targets: [A, B],
  mode: 'cascade',
  upTo: B,
  force: true,
  reason: 'wrong import',
  operator: 'jane',
  rules: 'lenient',
};

test('reads every term', () => {
  expect(readRollbackValue(FULL)).toEqual(FULL);
});

test('what is absent or null is the default: no upTo, no force, no reason, no operator, strict', () => {
  const defaults = {
    targets: [A],
    mode: 'only',
    upTo: null,
    force: false,
    reason: null,
    operator: null,
    rules: 'strict',
  };
  expect(readRollbackValue({ targets: [A], mode: 'only' })).toEqual(defaults);
  const nulls = {
    targets: [A],
    mode: 'only',
    upTo: null,
    force: null,
    reason: null,
    operator: null,
    rules: null,
  };
  expect(readRollbackValue(nulls)).toEqual(defaults);
});

test('ids come out in lower case', () => {
  const read = readRollbackValue({ ...FULL, targets: [A.toUpperCase()], upTo: B.toUpperCase() });
  expect(read).toMatchObject({ targets: [A], upTo: B });
});

test('an empty list of targets is readable', () => {
  expect(readRollbackValue({ targets: [], mode: 'only' })).toMatchObject({ targets: [] });
});

test.each<[string, JsonObject, string]>([
  ['no targets', { mode: 'only' }, 'targets is not a list of event ids'],
  ['one target without a list', { ...FULL, targets: A }, 'targets is not a list of event ids'],
  ['a target that is no UUID', { ...FULL, targets: [A, 'x'] }, 'targets is not a list of event ids'],
  ['no mode', { targets: [A] }, 'mode is neither only nor cascade'],
  ['another mode', { ...FULL, mode: 'all' }, 'mode is neither only nor cascade'],
  ['an upTo that is no UUID', { ...FULL, upTo: '' }, 'upTo is not an event id'],
  ['force as a text', { ...FULL, force: 'true' }, 'force is not a boolean'],
  ['other rules', { ...FULL, rules: 'loose' }, 'rules is neither strict nor lenient'],
  ['a reason that is a number', { ...FULL, reason: 1 }, 'reason is not a text without NUL'],
  ['a NUL in the operator', { ...FULL, operator: 'a\0' }, 'operator is not a text without NUL'],
])('refuses %s', (_, value, reason) => {
  expect(readRollbackValue(value)).toEqual(new Unreadable(reason));
});
