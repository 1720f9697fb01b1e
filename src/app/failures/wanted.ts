import { CODES_OF_CLASS, type EventFailureClass } from '../../domain/event-failure-class.ts';
import { readTime } from '../../domain/offset-time.ts';
import { fieldNamesOf } from '../../domain/users-table.ts';
import type { EventErrorCode } from '../../errors/codes.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import { readBinding } from '../../postgres/sql/read-binding.ts';
import { constraintsOn } from '../../postgres/sql/read-constraint.ts';
import type { FailureFilter } from '../../postgres/sql/read-failures.ts';
import type { Queryable } from '../../postgres/pool.ts';

/** Which failures are wanted; what is not given does not matter. */
export interface FailuresWanted {
  readonly codes?: readonly EventErrorCode[] | undefined;
  readonly class?: EventFailureClass | undefined;
  /** Five characters, or what it begins with: `23`. */
  readonly sqlState?: string | undefined;
  readonly constraint?: string | undefined;
  /** A field of the events or a column of the table: named by the error, or part of the constraint that refused. */
  readonly field?: string | undefined;
  readonly userId?: string | undefined;
  /** When they failed: a time as `log -o @…` has it, the `@` left out or not; a duration is that long ago. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

/**
 * The filter of a query, of what is wanted: a field is also looked for in the constraints that are about it. USAGE for a
 * time that is none, NOT_INITIALISED.
 */
export async function failureFilter(
  db: Queryable,
  schema: string,
  wanted: FailuresWanted,
  nowMs: number,
): Promise<FailureFilter> {
  const asked = toFilter(wanted, nowMs);
  if (asked.fields === null) return { ...asked, fieldConstraints: [] };
  const { usersSchema, usersTable } = await readBinding(db, schema);
  const place = { schema: usersSchema, table: usersTable };
  return { ...asked, fieldConstraints: await constraintsOn(db, place, asked.fields) };
}

function toFilter(wanted: FailuresWanted, nowMs: number): Omit<FailureFilter, 'fieldConstraints'> {
  const { codes, class: wantedClass, sqlState, constraint, field, userId, since, until } = wanted;
  return {
    codes: chosenCodes(codes, wantedClass),
    isRollback: wantedClass === undefined ? null : wantedClass === 'rollback',
    sqlState: sqlState?.toUpperCase() ?? null,
    constraint: constraint ?? null,
    fields: field === undefined ? null : namesOf(field),
    userId: userId ?? null,
    since: since === undefined ? null : parseTime('--since', since, nowMs),
    until: until === undefined ? null : parseTime('--until', until, nowMs),
  };
}

/** A rollback may fail with any code. */
function chosenCodes(
  codes: readonly EventErrorCode[] | undefined,
  wantedClass: EventFailureClass | undefined,
): readonly EventErrorCode[] | null {
  if (wantedClass === undefined || wantedClass === 'rollback') return codes ?? null;
  const ofClass = CODES_OF_CLASS[wantedClass];
  return codes === undefined ? ofClass : ofClass.filter((code) => codes.includes(code));
}

/** The field itself, its column in snake_case, and the fields that a column of this name takes. */
function namesOf(field: string): readonly string[] {
  const column = field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return [...new Set([field, column, ...fieldNamesOf(field)])];
}

/** The time that a flag says: as `log -o @…` has it, the `@` left out or not; a duration is that long ago. USAGE. */
export function parseTime(flag: string, text: string, nowMs: number): Date {
  const bare = text.startsWith('@') ? text.slice(1) : text;
  const time = readTime(bare, nowMs);
  if (time === null || time.length !== bare.length) {
    throw new UserEventsError('USAGE', `${flag} ${text} is not a time`, {
      hint: 'Say 1h or -1h (ago), 2026-01-31, 2026-01-31T08:00:00Z, or seconds or milliseconds since the epoch.',
    });
  }
  const isAhead = time.isDuration && time.timestamp > nowMs;
  return new Date(isAhead ? Math.max(0, 2 * nowMs - time.timestamp) : time.timestamp);
}
