import type { LogQuery, LogReaderSettings } from '../app/log.ts';
import type { LogReader } from '../app/log/read-entries.ts';
import { parseOffsetSpec } from '../domain/offset-spec.ts';
import type { RecordFilter } from '../domain/record-filter.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import type { Progress } from './progress.ts';

interface LogFlags {
  readonly json: boolean;
  readonly partition?: readonly number[] | undefined;
  readonly offset?: string | undefined;
  readonly limit?: number | undefined;
  readonly follow: boolean;
  readonly user?: string | undefined;
  readonly 'event-id'?: string | undefined;
  readonly operation?: readonly string[] | undefined;
  readonly status?: readonly string[] | undefined;
  readonly grep?: string | undefined;
  readonly 'newest-first': boolean;
}

/**
 * What `log` was asked for. Without -o: the newest (20 unless -n says how many); under --json everything from the start,
 * unless -n asks for the newest. Throws USAGE.
 */
export function readLogQuery(flags: LogFlags, nowMs: number): LogQuery {
  const { json, partition, offset, limit = null, follow } = flags;
  const offsets = offset === undefined ? null : parseOffsetSpec(offset, nowMs);
  if (follow && offsets !== null && offsets.to !== null) {
    throw new UserEventsError('USAGE', '--follow goes on without end: the offsets must not have one');
  }
  if (follow && flags['newest-first']) {
    throw new UserEventsError(
      'USAGE',
      '--newest-first needs an end to begin at: it does not go with --follow',
    );
  }
  return {
    isNewestFirst: flags['newest-first'],
    partitions: partition === undefined || partition.length === 0 ? null : partition,
    offsets,
    isAll: json && (follow || limit === null),
    limit,
    follow,
    isMerged: !json,
  };
}

/** Which records are wanted. Throws USAGE. */
export function readLogFilter(flags: LogFlags): Pick<LogReader, 'filter' | 'statuses'> {
  const { user, 'event-id': eventId, operation, status, grep } = flags;
  const filter: RecordFilter = {
    ...(user === undefined ? {} : { userId: user }),
    ...(eventId === undefined ? {} : { eventId }),
    ...(operation === undefined ? {} : { operations: new Set(operation) }),
    ...(grep === undefined ? {} : { pattern: readPattern(grep) }),
  };
  return { filter, statuses: status === undefined ? null : new Set(status) };
}

/** Shows how far a search for one event has come; of whatever else is read, what is found is shown. */
export function searchProgress(
  progress: Progress,
  { eventId }: RecordFilter,
): Pick<LogReaderSettings, 'onRead' | 'onSearch'> {
  let [read, total] = [0, 0];
  return {
    onRead: (records) => {
      read += records;
      if (eventId !== undefined) progress.update(read, Math.max(read, total));
    },
    onSearch: (records) => {
      total = records;
    },
  };
}

function readPattern(text: string): RegExp {
  const caseless = /^\/(.*)\/i$/s.exec(text)?.[1];
  try {
    return new RegExp(caseless ?? text, caseless === undefined ? 'u' : 'iu');
  } catch (error) {
    throw new UserEventsError('USAGE', '--grep is not a regular expression', { cause: error });
  }
}
