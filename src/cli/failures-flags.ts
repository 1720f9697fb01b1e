import { deadLetterFlags } from './dead-letter-flags.ts';
import { failureFlags } from './failure-filter.ts';
import { databaseFlags, limitFlag, logFlags } from './flags.ts';

/** What people are shown without a limit: a screen or two. */
export const DEFAULT_SHOWN = 30;

/** What `failures` can be told. */
export const failuresFlags = {
  ...databaseFlags,
  ...logFlags,
  ...limitFlag(`the newest ${String(DEFAULT_SHOWN)}, with --json all`),
  ...failureFlags,
  ...deadLetterFlags,
};
