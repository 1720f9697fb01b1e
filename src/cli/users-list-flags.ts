import { Flags } from '@oclif/core';
import { databaseFlags, limitFlag } from './flags.ts';

/** Users that `users list` prints unless it is told otherwise. */
export const DEFAULT_LIMIT = 100;

/** What `users list` can be asked for. */
export const usersListFlags = {
  ...databaseFlags,
  ...limitFlag(String(DEFAULT_LIMIT)),
  where: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    summary: 'Only users with this value; repeat it for more.',
    helpValue: 'FIELD=VALUE',
  }),
  'offset-id': Flags.string({ summary: 'Only users behind this id.', helpValue: 'USER_ID' }),
  sort: Flags.string({
    summary: 'By this field rather than by the id; NULLs last.',
    helpValue: 'FIELD[:desc]',
    exclusive: ['offset-id'],
  }),
  skip: Flags.integer({
    min: 0,
    default: 0,
    summary: 'Pass over so many: the way on with --sort.',
    helpValue: 'N',
  }),
  csv: Flags.boolean({
    default: false,
    summary: 'Print CSV, a title line first; quoted as RFC 4180 says, lines end in a line feed.',
    exclusive: ['json'],
  }),
};
