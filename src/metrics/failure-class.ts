import { ERROR_CODES, type EventErrorCode } from '../errors/codes.ts';

/** Where an event failed: reading its envelope, by the rules of execution, at the table's columns, in the database, or while rolling back. */
export type EventFailureClass = 'envelope' | 'rules' | 'columns' | 'database' | 'rollback';

const CLASSES: Partial<Record<EventErrorCode, EventFailureClass>> = {
  UNREADABLE: 'envelope',
  UNKNOWN_TYPE: 'envelope',
  EVENT_ID_REUSED: 'envelope',
  USER_EXISTS: 'rules',
  USER_NOT_FOUND: 'rules',
  UNKNOWN_FIELD: 'columns',
  WRONG_TYPE: 'columns',
  DATABASE_CONSTRAINT: 'database',
  DATABASE_VALUE: 'database',
  DATABASE_TRIGGER: 'database',
  STATEMENT_TIMEOUT: 'database',
};

/** Every code that an event can fail with, and its class: the labels of the failures' counter are these and no others. */
export function failureClasses(): ReadonlyMap<string, EventFailureClass> {
  const codes = Object.entries(ERROR_CODES).filter(([, { scope, exit }]) => scope === 'event' && exit === 7);
  const classes: Readonly<Record<string, EventFailureClass | undefined>> = CLASSES;
  return new Map(codes.map(([code]) => [code, classes[code] ?? 'rollback']));
}
