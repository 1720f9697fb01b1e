import { Flags } from '@oclif/core';
import type { FailuresWanted } from '../app/failures/wanted.ts';
import { FAILURE_CLASSES, FAILURE_CODES } from '../domain/event-failure-class.ts';
import { UserEventsError } from '../errors/user-events-error.ts';

/** Which failures are meant. */
export const failureFlags = {
  code: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    summary: 'Only with this code; repeat it for more.',
    helpValue: 'CODE',
    helpGroup: 'filter',
  }),
  class: Flags.option({ options: FAILURE_CLASSES, summary: 'Only of this class.', helpGroup: 'filter' })(),
  sqlstate: Flags.string({
    summary: 'Only with this SQLSTATE, or what begins so (23).',
    helpValue: 'STATE',
    helpGroup: 'filter',
  }),
  constraint: Flags.string({
    summary: 'Only what this constraint refused.',
    helpValue: 'NAME',
    helpGroup: 'filter',
  }),
  field: Flags.string({ summary: 'Only for this field or column.', helpValue: 'NAME', helpGroup: 'filter' }),
  user: Flags.string({ summary: 'Only of this user.', helpValue: 'USER_ID', helpGroup: 'filter' }),
  since: Flags.string({
    summary: 'Only what failed since: 1h (ago), 2026-01-31, 2026-01-31T08:00:00Z.',
    helpValue: 'TIME',
    helpGroup: 'filter',
  }),
  until: Flags.string({ summary: 'Only what failed before.', helpValue: 'TIME', helpGroup: 'filter' }),
};

/** The filters as they are parsed. */
export interface FailureFlagValues extends Omit<FailuresWanted, 'codes' | 'sqlState' | 'userId'> {
  readonly code?: readonly string[] | undefined;
  readonly sqlstate?: string | undefined;
  readonly user?: string | undefined;
}

/** What the flags ask for. USAGE for a code that no event fails with. */
export function failuresWanted(flags: FailureFlagValues): FailuresWanted {
  const { code, class: kind, sqlstate, constraint, field, user, since, until } = flags;
  const codes = code?.map(readCode);
  return { codes, class: kind, sqlState: sqlstate, constraint, field, userId: user, since, until };
}

/** True where any of the filters is set. */
export function isFiltered(wanted: FailuresWanted): boolean {
  return Object.values(wanted).some((value) => value !== undefined);
}

function readCode(text: string): (typeof FAILURE_CODES)[number] {
  const code = FAILURE_CODES.find((each) => each === text.toUpperCase());
  if (code !== undefined) return code;
  throw new UserEventsError('USAGE', `No event fails with the code ${text}`, {
    hint: `Say one of ${FAILURE_CODES.join(', ')}.`,
  });
}
