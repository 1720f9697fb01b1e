import { Flags } from '@oclif/core';
import { parseTime } from '../app/failures/wanted.ts';
import type { LetterFilter } from '../app/dead-letters/read-letters.ts';
import { failureFlags } from './failure-filter.ts';
import { SETTINGS } from '../config/settings.ts';
import { UserEventsError } from '../errors/user-events-error.ts';

/** Where failed events are also written to. */
export const deadLetterTopicFlag = {
  'dead-letter-topic': Flags.string({
    summary: 'Topic to write failed events to as well, with the headers of Spring Kafka and Kafka Connect.',
    env: SETTINGS.deadLetterTopic.env,
    helpValue: 'NAME',
  }),
};

/** For `failures` and `retry`: dead letters rather than this service's failed events. */
export const deadLetterFlags = {
  'dead-letter': Flags.string({
    summary: 'Dead letters of this topic, whoever wrote them: Spring, Connect, Streams, share groups.',
    helpValue: 'TOPIC',
    helpGroup: 'dead letters',
  }),
  exception: Flags.string({
    summary: 'Only dead letters whose exception has this in its class name.',
    helpValue: 'TEXT',
    dependsOn: ['dead-letter'],
    helpGroup: 'dead letters',
  }),
};

/** What `retry` takes for dead letters besides. */
export const putBackFlags = {
  'dry-run': Flags.boolean({
    summary: 'Show what would be put back, and do nothing.',
    dependsOn: ['dead-letter'],
    helpGroup: 'dead letters',
  }),
  user: failureFlags.user,
  since: failureFlags.since,
  until: failureFlags.until,
  'max-attempts': Flags.integer({
    min: 1,
    summary: 'Leave events that were executed so often as they are; dead letters: put back (default: 3).',
    helpValue: 'N',
  }),
};

interface LetterFlagValues {
  readonly exception?: string | undefined;
  readonly user?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

/** What `--user`, `--since`, `--until` and `--exception` ask for. USAGE for a time that is none. */
export function letterFilter(flags: LetterFlagValues, nowMs: number): LetterFilter {
  const { exception = null, user = null, since, until } = flags;
  return {
    userId: user,
    exception,
    since: since === undefined ? null : parseTime('--since', since, nowMs).getTime(),
    until: until === undefined ? null : parseTime('--until', until, nowMs).getTime(),
  };
}

/** What means events of this service's ledger, and nothing of a dead letter. */
const LEDGER_FLAGS = ['all-failed', 'from-file', 'force', 'code', 'class', 'sqlstate', 'constraint', 'field'];

/** USAGE where flags, or ids, beside --dead-letter mean events of the ledger. */
export function refuseLedgerFlags(
  flags: Readonly<Record<string, unknown>>,
  ids: readonly string[] = [],
): void {
  const flag = LEDGER_FLAGS.find((name) => flags[name] !== undefined && flags[name] !== false);
  const given = flag === undefined ? ids[0] : `--${flag}`;
  if (given === undefined) return;
  throw new UserEventsError('USAGE', `${given} is about this service's ledger, not about dead letters`, {
    hint: 'With --dead-letter say --user, --since, --until or --exception.',
  });
}
