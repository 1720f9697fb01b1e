import { Flags, type Interfaces } from '@oclif/core';
import { databaseFlags, groupFlag, logFlags, profilesFlag, timeoutFlag } from './flags.ts';

/** How long --wait waits, in seconds. */
export const DEFAULT_WAIT_S = 60;

/** Flags of `status`. */
export const statusFlags = {
  ...profilesFlag,
  ...logFlags,
  ...databaseFlags,
  ...groupFlag,
  ...timeoutFlag(DEFAULT_WAIT_S),
  wait: Flags.boolean({ summary: 'Return when the lag is small enough; exit 6 when it is not in time.' }),
  'max-lag': Flags.integer({
    min: 0,
    summary: 'How many offsets behind is small enough for --wait (default: 0).',
    helpValue: 'N',
    dependsOn: ['wait'],
  }),
  watch: Flags.boolean({
    char: 'w',
    summary: 'Look again and again: in place on a terminal (q leaves), else a line each time.',
    exclusive: ['wait'],
  }),
  interval: Flags.integer({
    min: 1,
    default: 2,
    summary: 'How often --watch looks, in seconds.',
    helpValue: 'SECONDS',
  }),
};

export type StatusFlags = Interfaces.InferredFlags<typeof statusFlags>;
