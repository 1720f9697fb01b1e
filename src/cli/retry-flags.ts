import { Flags } from '@oclif/core';
import { deadLetterFlags, putBackFlags } from './dead-letter-flags.ts';
import { databaseFlags, logFlags, yesFlag } from './flags.ts';
import { targetFlags } from './target-flags.ts';

/** What `retry` can be told. */
export const retryFlags = {
  ...databaseFlags,
  ...logFlags,
  ...yesFlag,
  ...targetFlags('Retry'),
  ...deadLetterFlags,
  ...putBackFlags,
  force: Flags.boolean({
    summary: 'Execute a failed rollback over a row that was changed from outside the log.',
  }),
  reason: Flags.string({ summary: 'Why; kept in the audit trail.', helpValue: 'TEXT' }),
};
