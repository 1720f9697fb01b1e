import { UserEventsError } from '../../errors/user-events-error.ts';
import { describeSqlError, isOutOfResources, toUserEventsError } from '../../postgres/errors.ts';

/** Where an operation was going, for messages; no secret in it. */
export interface LogPlace {
  /** `postgres://host:port/database`. */
  readonly address: string;
  readonly schema: string;
  readonly topic: string;
}

/** What `append_records` raises for a partition that the topic lacks (migrations/log). */
const NO_SUCH_PARTITION = 'UE010';

/**
 * Translates what the driver threw into the event log's errors: LOG_UNREACHABLE, LOG_AUTH_FAILED, LOG_REFUSED,
 * TOPIC_NOT_FOUND where the schema or its tables are absent, DATABASE_REFUSED where the database is. Anything else is
 * given back: it was translated before, or is a bug.
 */
export function toLogError(error: unknown, { address, schema, topic }: LogPlace): Error {
  const { sqlState } = describeSqlError(error);
  if (sqlState === NO_SUCH_PARTITION) {
    return new UserEventsError('LOG_REFUSED', `Topic ${topic} at ${address} has no such partition any more`, {
      cause: error,
    });
  }
  const translated = toUserEventsError(error, address);
  if (!(translated instanceof UserEventsError) || translated === error) return translated;
  const details = { cause: error, facts: translated.facts };
  switch (translated.code) {
    case 'DATABASE_UNREACHABLE':
      return new UserEventsError('LOG_UNREACHABLE', translated.message, {
        ...details,
        hint: isOutOfResources(sqlState) ? translated.hint : UNREACHABLE_HINT,
      });
    case 'NOT_INITIALISED':
      return new UserEventsError(
        'TOPIC_NOT_FOUND',
        `There is no event log in schema ${schema} at ${address}, so no topic ${topic}`,
        details,
      );
    case 'DATABASE_REFUSED':
      // invalid_catalog_name: the database is not there, which its own hint says best.
      if (sqlState === '3D000') return translated;
      return new UserEventsError(
        sqlState === undefined || sqlState.startsWith('28') || sqlState === '42501'
          ? 'LOG_AUTH_FAILED'
          : 'LOG_REFUSED',
        translated.message,
        { ...details, ...(sqlState === undefined ? {} : { hint: AUTH_HINT }) },
      );
    default:
      return translated;
  }
}

const UNREACHABLE_HINT = 'Check EVENT_LOG_URL and that its PostgreSQL runs.';
const AUTH_HINT = 'Check the role and password in EVENT_LOG_URL, and its rights on the schema of the log.';

/** TOPIC_NOT_FOUND for a topic that the log does not have. */
export function topicNotFound({ address, topic }: LogPlace): UserEventsError {
  return new UserEventsError('TOPIC_NOT_FOUND', `The event log at ${address} has no topic ${topic}`, {
    facts: { topic },
  });
}

/** OFFSET_OUT_OF_RANGE with the facts `topic`, `partition`, `expected`, `low`, `high` and `got`, the nearest readable. */
export function outOfRange(
  { topic }: LogPlace,
  partition: number,
  expected: bigint,
  { low, high }: { readonly low: bigint; readonly high: bigint },
): UserEventsError {
  return new UserEventsError(
    'OFFSET_OUT_OF_RANGE',
    `Offset ${String(expected)} is outside ${topic}[${String(partition)}]: it has ${String(low)} to ${String(high)}`,
    { facts: { topic, partition, expected, low, high, got: expected < low ? low : high } },
  );
}

/** LOG_REFUSED for a partition that the topic does not have. */
export function noSuchPartition(
  { address, topic }: LogPlace,
  partition: number,
  partitionCount: number,
): UserEventsError {
  return new UserEventsError(
    'LOG_REFUSED',
    `Topic ${topic} at ${address} has no partition ${String(partition)}`,
    { hint: `Its partitions are 0 to ${String(partitionCount - 1)}.`, facts: { partition } },
  );
}
