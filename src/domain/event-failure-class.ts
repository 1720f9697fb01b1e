import type { EventErrorCode } from '../errors/codes.ts';

/**
 * What kind of thing refused an event. `rule`: the rules of execution, and fields that have no place in the table.
 * `database`: PostgreSQL (a constraint, a value, a trigger, a time-out). `unreadable`: the record itself. `rollback`: a
 * rollback that could not be executed here, whatever the reason.
 */
export const FAILURE_CLASSES = ['rule', 'database', 'unreadable', 'rollback'] as const;
export type EventFailureClass = (typeof FAILURE_CLASSES)[number];

/** The codes that an event may have failed with, by class. Those of the last are of rollbacks alone. */
export const CODES_OF_CLASS: Readonly<Record<EventFailureClass, readonly EventErrorCode[]>> = {
  rule: ['USER_EXISTS', 'USER_NOT_FOUND', 'UNKNOWN_FIELD', 'WRONG_TYPE'],
  database: ['DATABASE_CONSTRAINT', 'DATABASE_VALUE', 'DATABASE_TRIGGER', 'STATEMENT_TIMEOUT'],
  unreadable: ['UNREADABLE', 'UNKNOWN_TYPE', 'EVENT_ID_REUSED'],
  rollback: ['DRIFT', 'IMAGE_PRUNED'],
};

/** Every code that an event may have failed with. */
export const FAILURE_CODES: readonly EventErrorCode[] = FAILURE_CLASSES.flatMap(
  (name) => CODES_OF_CLASS[name],
);

/** The class of a failure, by what failed and why. */
export function classOf(operation: string | null, code: EventErrorCode): EventFailureClass {
  if (operation === 'rollback') return 'rollback';
  return FAILURE_CLASSES.find((name) => CODES_OF_CLASS[name].includes(code)) ?? 'rule';
}
