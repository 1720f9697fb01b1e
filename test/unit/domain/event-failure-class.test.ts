import { expect, test } from '@jest/globals';
import { classOf, FAILURE_CODES } from '../../../src/domain/event-failure-class.ts';
import { ERROR_CODES } from '../../../src/errors/codes.ts';

test('every code that an event fails with has a class', () => {
  const codes = Object.entries(ERROR_CODES).filter(([, { scope, exit }]) => scope === 'event' && exit === 7);
  expect(FAILURE_CODES.toSorted()).toEqual(codes.map(([code]) => code).toSorted());
});

test('a rollback that fails is of the class of rollbacks, whatever its code', () => {
  expect(classOf('update', 'DATABASE_CONSTRAINT')).toBe('database');
  expect(classOf('rollback', 'DATABASE_CONSTRAINT')).toBe('rollback');
});
