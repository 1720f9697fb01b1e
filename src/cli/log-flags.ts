import { Flags } from '@oclif/core';
import { STATUSES } from '../domain/event.ts';
import { OPERATION_CHOICES } from '../domain/record-filter.ts';
import { LOG_COLUMNS } from './views/log.ts';
import { databaseFlags, followFlag, logFlags, offsetFlag } from './flags.ts';

/** Which records. */
const filterFlags = {
  user: Flags.string({
    summary: "Only this user's, from the user's own partition.",
    helpValue: 'USER_ID',
    helpGroup: 'filter',
  }),
  'event-id': Flags.string({
    summary: 'Only this event: at once where the ledger knows it, else the log is searched.',
    helpValue: 'ID',
    helpGroup: 'filter',
  }),
  operation: Flags.option({
    options: OPERATION_CHOICES,
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
    summary: 'Only these operations; or what cannot be read, or is of an ignored type.',
    helpGroup: 'filter',
  })(),
  status: Flags.option({
    options: [...STATUSES, 'pending'] as const,
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
    summary: "Only what this service's ledger has with this status; pending is what it has not decided.",
    helpGroup: 'filter',
  })(),
  grep: Flags.string({
    summary:
      'Only what matches in key, value or header values: a regular expression, /…/i without regard to case.',
    helpValue: 'PATTERN',
    helpGroup: 'filter',
  }),
};

/** The flags of `log`. */
export const logCommandFlags = {
  ...logFlags,
  ...databaseFlags,
  partition: Flags.integer({
    char: 'p',
    min: 0,
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
    summary: 'Only this partition; several by comma, or repeated.',
    helpValue: 'N',
  }),
  ...offsetFlag,
  limit: Flags.integer({
    char: 'n',
    min: 1,
    summary:
      'How many at the most: the newest (default: 20, with --json all), or with -o or -f the first of what is read.',
    helpValue: 'N',
  }),
  ...followFlag,
  ...filterFlags,
  'newest-first': Flags.boolean({
    default: false,
    summary: 'The newest of what is chosen first, so many as -n says (default: 20).',
  }),
  columns: Flags.option({
    options: LOG_COLUMNS,
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
    summary: 'Columns of the table, in this order.',
    exclusive: ['json', 'raw'],
  })(),
  raw: Flags.boolean({
    summary: 'Print the values alone, byte for byte, a line feed after each.',
    exclusive: ['json'],
  }),
};
