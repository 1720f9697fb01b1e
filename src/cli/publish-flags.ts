import { Args, Flags } from '@oclif/core';
import { databaseFlags, dryRunFlag, logFlags } from './flags.ts';

/** What one event is made of: without --from-file. */
const eventFlags = {
  name: Flags.string({ summary: "The user's name.", helpGroup: 'event' }),
  email: Flags.string({ summary: "The user's e-mail address.", helpGroup: 'event' }),
  set: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    summary: 'Any field: the value is JSON where it is JSON, else text. Repeat it for more.',
    helpValue: 'FIELD=VALUE',
    helpGroup: 'event',
  }),
  data: Flags.string({ summary: 'Fields as one JSON object.', helpValue: 'JSON', helpGroup: 'event' }),
  'event-id': Flags.string({
    summary:
      'Its id, where the caller has one: the same id again has no effect again (default: a new UUIDv7).',
    helpValue: 'ID',
    helpGroup: 'event',
  }),
  traceparent: Flags.string({ summary: 'W3C trace context.', helpGroup: 'event' }),
  'causation-id': Flags.string({
    summary: 'Id of what led to it.',
    helpValue: 'ID',
    helpGroup: 'event',
  }),
};

/** Many events from an input. */
const inputFlags = {
  'from-file': Flags.string({
    summary: 'NDJSON with an event a line; - reads the standard input.',
    exclusive: Object.keys(eventFlags),
    helpValue: 'FILE|-',
    helpGroup: 'input',
  }),
  'keep-going': Flags.boolean({
    summary:
      'Send the good lines as they come and write the others to a file, with the reasons; then exit 7.',
    dependsOn: ['from-file'],
    helpGroup: 'input',
  }),
  rejects: Flags.string({
    summary:
      'That file (default: FILE.rejects.ndjson; rejects.ndjson for the standard input). It is replaced.',
    dependsOn: ['keep-going'],
    helpValue: 'FILE',
    helpGroup: 'input',
  }),
  'skip-lines': Flags.integer({
    min: 0,
    summary: 'So many lines at the start were sent by the run that stopped.',
    dependsOn: ['from-file'],
    helpValue: 'N',
    helpGroup: 'input',
  }),
  'run-id': Flags.string({
    summary:
      'The id of that run: lines without an eventId get the same id again, so that nothing has its effect twice.',
    dependsOn: ['from-file'],
    helpValue: 'ID',
    helpGroup: 'input',
  }),
};

/** The flags of `publish`. */
export const publishFlags = {
  ...logFlags,
  ...databaseFlags,
  ...eventFlags,
  ...inputFlags,
  ...dryRunFlag,
  wait: Flags.boolean({
    summary: "Return when this service's consumer has decided on all of it; exit 7 where something failed.",
    exclusive: ['dry-run'],
  }),
  timeout: Flags.integer({
    min: 1,
    summary: 'How long --wait waits at the most, in seconds (default: 30).',
    helpValue: 'SECONDS',
    dependsOn: ['wait'],
  }),
};

/** The arguments of `publish`. */
export const publishArgs = {
  operation: Args.string({
    description: 'What happened to the user.',
    options: ['create', 'update', 'delete', 'put'],
  }),
  userId: Args.string({ description: 'The user: any text.' }),
};
