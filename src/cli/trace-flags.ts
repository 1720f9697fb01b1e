import { Flags } from '@oclif/core';
import { UserEventsError } from '../errors/user-events-error.ts';
import { databaseFlags, limitFlag, logFlags, profilesFlag } from './flags.ts';

/** How many of a user's events are told without a limit. */
export const DEFAULT_EVENTS = 100;

/** What `trace` can be told. */
export const traceFlags = {
  ...profilesFlag,
  ...logFlags,
  ...databaseFlags,
  ...limitFlag(String(DEFAULT_EVENTS)),
  user: Flags.string({ summary: "Tell one user's events instead, in order.", helpValue: 'USER_ID' }),
  scan: Flags.boolean({
    allowNo: true,
    default: true,
    summary: 'Search the log for what the ledger does not have.',
  }),
};

/** USAGE unless it is an event or a user that is asked for. */
export function requireOneSubject(event: string | undefined, user: string | undefined): void {
  if ((event === undefined) === (user === undefined))
    throw new UserEventsError('USAGE', 'Name an event, or a user with --user');
}
