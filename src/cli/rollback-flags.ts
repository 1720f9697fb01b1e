import { Flags } from '@oclif/core';
import { databaseFlags, dryRunFlag, logFlags, profilesFlag, timeoutFlag, yesFlag } from './flags.ts';
import { targetFlags } from './target-flags.ts';

/** How long `--wait` waits without --timeout, s. */
export const DEFAULT_WAIT_S = 30;

/** What `rollback` can be told. */
export const rollbackFlags = {
  ...profilesFlag,
  ...logFlags,
  ...databaseFlags,
  ...dryRunFlag,
  ...yesFlag,
  ...timeoutFlag(DEFAULT_WAIT_S),
  'event-id': Flags.string({
    multiple: true,
    summary: 'Event to withdraw; may be repeated.',
    helpValue: 'UUID',
  }),
  ...targetFlags('Withdraw'),
  only: Flags.boolean({
    summary: 'Withdraw the events alone; later ones are executed again without them.',
    exclusive: ['cascade'],
  }),
  cascade: Flags.boolean({ summary: 'Withdraw also every later event of the user.' }),
  force: Flags.boolean({ summary: 'Set the row back also where it was changed from outside the log.' }),
  reason: Flags.string({ summary: 'Why; kept with the event and in every ledger.', helpValue: 'TEXT' }),
  wait: Flags.boolean({
    summary: 'Return when this service’s consumer has executed it, with the outcome.',
  }),
};
