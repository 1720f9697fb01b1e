import { Flags } from '@oclif/core';
import { deadLetterTopicFlag } from './dead-letter-flags.ts';
import { SETTINGS } from '../config/settings.ts';
import { databaseFlags, groupFlag, logFlags } from './flags.ts';

/** What `consume` can be told. */
export const consumeFlags = {
  ...logFlags,
  ...databaseFlags,
  ...groupFlag,
  'until-end': Flags.boolean({ summary: 'End when what the log holds at the start is executed.' }),
  'max-events': Flags.integer({
    min: 1,
    helpValue: 'N',
    summary: 'End after about N events; a batch is not cut, and without --until-end they are waited for.',
  }),
  'max-failed': Flags.integer({
    min: 1,
    helpValue: 'N',
    env: 'USER_EVENTS_MAX_FAILED',
    summary: 'Stop when more than N users in a row failed: a bad migration rather than bad events.',
  }),
  'on-failure': Flags.option({
    options: ['park', 'rollback', 'stop'] as const,
    summary:
      'What a failed event leads to besides its user being parked (default: park). `rollback` publishes a compensating event to every service.',
    env: 'USER_EVENTS_ON_FAILURE',
  })(),
  'batch-size': Flags.integer({
    min: 1,
    helpValue: 'N',
    max: 20_000,
    env: 'USER_EVENTS_BATCH_SIZE',
    summary: 'Events a transaction at the most (default: 2000).',
  }),
  ...deadLetterTopicFlag,
  'metrics-port': Flags.string({
    helpValue: '[HOST:]PORT',
    env: SETTINGS.metricsPort.env,
    summary:
      'Serve Prometheus metrics (/metrics), /healthz and /readyz there; without a host on all addresses, with port 0 on a free one.',
  }),
  interval: Flags.integer({
    min: 1,
    helpValue: 'SECONDS',
    env: SETTINGS.interval.env,
    summary:
      'How often it tells how far it is: a line a second under --json, one in 30 s where stderr is no terminal.',
  }),
  from: Flags.string({
    summary: 'Where a new group starts: start (default), committed, or @TIME.',
    helpValue: 'WHERE',
  }),
  'accept-gap': Flags.boolean({
    summary: 'Go on where events are gone from the log, or the topic was made anew.',
  }),
};
