import { Flags } from '@oclif/core';
import { readTime } from '../domain/offset-time.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import { databaseFlags, dryRunFlag, yesFlag } from './flags.ts';

export const pruneFlags = {
  ...databaseFlags,
  'older-than': Flags.string({
    required: true,
    summary: 'Prune what was decided on longer ago than this (90d, 26w), or before this time (ISO 8601).',
    helpValue: 'AGE|TIME',
  }),
  ...dryRunFlag,
  ...yesFlag,
};

/** `90d`, `12h30m`, or a time → the moment before which events are old. USAGE for anything else, or a time to come. */
export function readCutoff(text: string, now: number): Date {
  const said = text.trim();
  const time = /^\d+(?:ms|[smhdw])/.test(said) ? readTime(`-${said}`, now) : readTime(said, now);
  if (
    time?.length === said.length + (time?.isDuration === true && !said.startsWith('-') ? 1 : 0) &&
    time.timestamp <= now
  )
    return new Date(time.timestamp);
  throw new UserEventsError('USAGE', `--older-than takes an age or a time that has passed, not ${text}`, {
    hint: 'Say 90d, 26w, 36h, or a time as 2026-01-31 or 2026-01-31T12:00:00Z.',
  });
}
