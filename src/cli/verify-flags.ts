import { Flags } from '@oclif/core';
import { databaseFlags, dryRunFlag, limitFlag, logFlags, yesFlag } from './flags.ts';

const foldFlags = {
  ...logFlags,
  ...databaseFlags,
  'from-log': Flags.boolean({
    summary: 'Read the log, too: every record must have its row of the ledger, with what the record says.',
  }),
  reason: Flags.string({ summary: 'Why rows are set; kept in the audit trail.', helpValue: 'TEXT' }),
  ...yesFlag,
};

export const DEFAULT_DIFFERENCES = 100;

export const verifyFlags = {
  ...foldFlags,
  exact: Flags.boolean({ summary: 'A row of which the log knows nothing is a difference.' }),
  fix: Flags.boolean({ summary: 'Show what differs, ask, and set those rows to what the log says.' }),
  digest: Flags.boolean({
    summary: 'Print a digest of the table by partition: two services compare it without showing rows.',
  }),
  columns: Flags.string({
    summary: 'Columns to digest, comma-separated: those that both services have (default: all).',
    helpValue: 'NAME,…',
    dependsOn: ['digest'],
  }),
  ...limitFlag(String(DEFAULT_DIFFERENCES)),
};

export const rebuildFlags = {
  ...foldFlags,
  exact: Flags.boolean({ summary: 'Delete rows of which the log knows nothing.' }),
  ...dryRunFlag,
};
