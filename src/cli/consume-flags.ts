import { Flags } from '@oclif/core';
import { databaseFlags, groupFlag, logFlags } from './flags.ts';

/** What `consume` can be told. */
export const consumeFlags = {
  ...logFlags,
  ...databaseFlags,
  ...groupFlag,
  'until-end': Flags.boolean({ summary: 'End when what the log holds at the start is executed.' }),
  'max-events': Flags.integer({ min: 1, summary: 'End after about so many events (a batch is not cut).' }),
  'max-failed': Flags.integer({
    min: 1,
    env: 'USER_EVENTS_MAX_FAILED',
    summary: 'Stop when more than N users in a row failed: a bad migration rather than bad events.',
    helpValue: 'N',
  }),
  'on-failure': Flags.option({
    options: ['park', 'rollback', 'stop'] as const,
    summary: 'What a failed event leads to besides its user being parked (default: park).',
    env: 'USER_EVENTS_ON_FAILURE',
  })(),
  'batch-size': Flags.integer({
    min: 1,
    max: 20_000,
    env: 'USER_EVENTS_BATCH_SIZE',
    summary: 'Events a transaction at the most (default: 2000).',
  }),
  from: Flags.string({
    summary: 'Where a new group starts: start (default), committed, or @TIME.',
    helpValue: 'WHERE',
  }),
  'accept-gap': Flags.boolean({
    summary: 'Go on where events are gone from the log, or the topic was made anew.',
  }),
};
