import { Flags } from '@oclif/core';
import { SETTINGS } from '../config/settings.ts';

/**
 * The flags that commands share, by what they are about. A command spreads the groups it needs into its `flags`.
 * `env` is written beside a flag for the help text alone: the one table of config/settings.ts reads it (base-command
 * sees to that), so that precedence is decided in one place. No secret is ever a flag.
 */

/** On every command. */
export const everyFlag = {
  json: Flags.boolean({
    summary: 'Print the result as JSON, and errors as one JSON line on stderr.',
    helpGroup: 'global',
  }),
  profile: Flags.string({
    summary: 'Profile of the config file to use.',
    env: 'USER_EVENTS_PROFILE',
    helpValue: 'NAME',
    helpGroup: 'global',
  }),
};

/** In the place of --profile, for commands that look at several services side by side. */
export const profilesFlag = {
  profile: Flags.string({
    summary: 'Profile of the config file to use; several times: one service each, side by side.',
    env: 'USER_EVENTS_PROFILE',
    helpValue: 'NAME',
    helpGroup: 'global',
    multiple: true,
    multipleNonGreedy: true,
  }),
};

/** Where the event log is: for commands that read or write it. */
export const logFlags = {
  brokers: Flags.string({
    char: 'b',
    summary: 'Kafka brokers, comma-separated.',
    env: SETTINGS.brokers.env,
    helpValue: 'HOST:PORT,…',
    helpGroup: 'connection',
  }),
  topic: Flags.string({
    char: 't',
    summary: 'Topic with the events (default: user-events).',
    env: SETTINGS.topic.env,
    helpValue: 'NAME',
    helpGroup: 'connection',
  }),
};

/** Which ledger of the database: for commands that read or write it. The database itself is DATABASE_URL or PG*. */
export const databaseFlags = {
  schema: Flags.string({
    summary: "Schema with the consumer group's ledger (default: user_events).",
    env: SETTINGS.schema.env,
    helpValue: 'NAME',
    helpGroup: 'connection',
  }),
};

export const groupFlag = {
  group: Flags.string({
    char: 'g',
    summary: 'Consumer group (default: DATABASE.SCHEMA).',
    env: SETTINGS.group.env,
    helpValue: 'NAME',
    helpGroup: 'connection',
  }),
};

/** What `init` records: the service's own table and the rules; and the partitions of the topic that it makes. */
export const initFlags = {
  table: Flags.string({
    summary: 'Table with the users (default: public.users).',
    env: SETTINGS.table.env,
    helpValue: '[SCHEMA.]NAME',
  }),
  'key-column': Flags.string({
    summary: 'Its column with the user id (default: user_id).',
    env: SETTINGS.keyColumn.env,
    helpValue: 'NAME',
  }),
  'extra-column': Flags.string({
    summary: 'Its jsonb column for fields that have no column of their own.',
    env: SETTINGS.extraColumn.env,
    helpValue: 'NAME',
  }),
  rules: Flags.option({
    options: SETTINGS.rules.choices,
    summary:
      'What an event does that does not fit the user: fail, or become a put or nothing (default: strict).',
    env: SETTINGS.rules.env,
  })(),
  partitions: Flags.integer({
    min: 1,
    summary: 'Partitions of the topic, where it is made (default: 4).',
    env: SETTINGS.partitions.env,
    helpValue: 'N',
  }),
  'created-column': Flags.string({
    summary: "Its column that takes a create event's own time.",
    env: SETTINGS.createdColumn.env,
    helpValue: 'NAME',
  }),
  'updated-column': Flags.string({
    summary: "Its column that takes the last event's own time.",
    env: SETTINGS.updatedColumn.env,
    helpValue: 'NAME',
  }),
};

export const offsetFlag = {
  offset: Flags.string({
    char: 'o',
    summary:
      'Offsets to read: start, end, N, -N, +N, N:M, :M, -N:end, @TIME, @T1:T2, @-1h; a time without a zone is UTC.',
    helpValue: 'SPEC',
  }),
};

/** `byDefault` is how many without it, for the help text: the command itself sees to it. */
export function limitFlag(byDefault: string) {
  const summary = `How many at the most (default: ${byDefault}).`;
  return { limit: Flags.integer({ char: 'n', min: 1, summary, helpValue: 'N' }) };
}

export const followFlag = {
  follow: Flags.boolean({ char: 'f', summary: 'Go on at the end and wait for more.' }),
};

export const yesFlag = {
  yes: Flags.boolean({ char: 'y', default: false, summary: 'Do not ask for confirmation.' }),
};

export const dryRunFlag = {
  'dry-run': Flags.boolean({ default: false, summary: 'Show what would be done, and do nothing.' }),
};

/** `byDefault` is in seconds, for the help text: the command itself sees to it. */
export function timeoutFlag(byDefault: number) {
  const summary = `How long --wait waits at the most, in seconds (default: ${String(byDefault)}).`;
  return { timeout: Flags.integer({ min: 1, summary, helpValue: 'SECONDS', dependsOn: ['wait'] }) };
}
