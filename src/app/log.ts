import type { OffsetSpec } from '../domain/offset-spec.ts';
import type { LogRecord } from '../domain/record.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import type { EventLog, Watermarks } from '../log/event-log.ts';
import { readEventPlace, type EventPlace } from '../postgres/sql/read-statuses.ts';
import { whereReadable } from '../postgres/sql/where-readable.ts';
import type { Database } from '../postgres/transaction.ts';
import { boundTopic, requireBoundTopic } from './bound-topic.ts';
import { envelopeContext, findKeyType, type TypeSettings } from './envelope-context.ts';
import { choosePartitions, likelyFirst, resolveRanges } from './log/ranges.ts';
import { mergeByTime } from './log/merge-by-time.ts';
import { readForward, wantedOf, withStatuses, type LogEntry, type LogReader } from './log/read-entries.ts';
import { createStatusLookup, noStatuses } from './log/status-lookup.ts';
import { readNewest, type Part } from './log/read-newest.ts';

/** A reader that can ask the ledger where an event lies. */
export interface LogSearch extends LogReader {
  /** Null where the ledger has not seen it, or cannot be read. */
  readonly findPlace: (eventId: string) => Promise<EventPlace | null>;
  /** Told how many records at the most a search for one event reads. */
  readonly onSearch: (records: number) => void;
}

export interface LogReaderSettings extends Pick<LogReader, 'filter' | 'statuses' | 'signal' | 'onRead'> {
  /** This service's database; null where it is not configured. */
  readonly db: Database | null;
  readonly types: TypeSettings;
  readonly onSearch?: (records: number) => void;
  /** ms since the epoch. */
  readonly now: () => number;
  /** Told once why there are no statuses, where the ledger cannot be read. */
  readonly onUnreadable: (error: UserEventsError) => void;
}

/**
 * Asks the log what it is: TOPIC_NOT_FOUND. A database that is away costs the statuses, unless `statuses` asks for some.
 */
export async function openLogReader(log: EventLog, settings: LogReaderSettings): Promise<LogSearch> {
  const { types, now, filter, statuses, signal, onRead, onUnreadable } = settings;
  const topic = await log.describe();
  const db = await ledgerOf(topic.topic, settings);
  const keyType = db === null ? null : await findKeyType(db);
  return {
    log,
    envelope: envelopeContext(topic, keyType ?? 'text', types),
    lookUp: db === null ? noStatuses : createStatusLookup(db, statuses !== null, now, onUnreadable),
    findPlace: async (id) =>
      db === null ? null : whereReadable(db, () => readEventPlace(db.pool, db.schema, id)),
    filter,
    statuses,
    signal,
    onRead,
    onSearch: settings.onSearch ?? (() => undefined),
  };
}

/** The database, where its ledger is of this topic: of another one it knows nothing. BINDING_MISMATCH where statuses are asked for. */
async function ledgerOf(topic: string, { db, statuses }: LogReaderSettings): Promise<Database | null> {
  if (db === null) return null;
  if (statuses !== null) await requireBoundTopic(db, topic);
  const bound = await whereReadable(db, () => boundTopic(db));
  return bound === null || bound === topic ? db : null;
}

export interface LogQuery {
  /** Null: all, or that of the user who is asked for. */
  readonly partitions: readonly number[] | null;
  /** Null: what is newest, or everything with `isAll`. */
  readonly offsets: OffsetSpec | null;
  /** Without offsets: everything from the start, rather than the newest. */
  readonly isAll: boolean;
  /** Entries at the most; null: all, and of the newest 20. */
  readonly limit: number | null;
  readonly follow: boolean;
  /** Several partitions come by time, as long as there is an end. */
  readonly isMerged: boolean;
  /** The newest come first, so many as `limit` says (else 20), whatever the offsets. */
  readonly isNewestFirst: boolean;
}

/** What the newest are without a limit: a terminal's height. */
const NEWEST = 20;
const PAGE = 1000;

/**
 * Reads the log (DESIGN 7), a page at a time. Filters pick from what the offsets choose; the limit counts what is left.
 * Throws USAGE for a partition that is not there, OFFSET_OUT_OF_RANGE, EVENT_NOT_FOUND where one event was asked for and
 * is not there.
 */
export async function* readLog(
  reader: LogSearch,
  query: LogQuery,
): AsyncGenerator<readonly LogEntry[], void> {
  const { limit, follow } = query;
  const isOne = reader.filter.eventId !== undefined && !follow;
  const wanted = limit ?? (isOne ? 1 : Infinity);
  let left = wanted;
  for await (const page of choose(reader, query, isOne)) {
    const taken = page.length > left ? page.slice(0, left) : page;
    left -= taken.length;
    if (taken.length > 0) yield taken;
    if (left === 0) return;
  }
  if (isOne && left === wanted && !reader.signal.aborted) {
    throw new UserEventsError(
      'EVENT_NOT_FOUND',
      `${reader.envelope.topic} has no such event: ${reader.filter.eventId ?? ''}`,
    );
  }
}

async function* choose(
  reader: LogSearch,
  query: LogQuery,
  isOne: boolean,
): AsyncGenerator<readonly LogEntry[], void> {
  const { log } = reader;
  const { offsets, follow, isMerged } = query;
  const bounds = choosePartitions(await log.watermarks(), reader, query.partitions);
  if (isOne && offsets === null && query.partitions === null) {
    const found = await readPlace(await reader.findPlace(reader.filter.eventId ?? ''), bounds, reader);
    // Not decided here yet, or the ledger is that of another topic: then the log itself is searched.
    if (found.length > 0) {
      yield found;
      return;
    }
  }
  if (query.isNewestFirst && !isOne) {
    const parts = await resolveRanges(log, offsets, bounds);
    const entries = await newestEntries(reader, parts, query.limit ?? NEWEST);
    return yield* pagesOf(entries.toReversed(), reader);
  }
  const newest = isOne ? null : newestWanted(query, bounds);
  if (newest !== null) return yield* readFromNewest(reader, bounds, newest, follow);
  const ranges = await resolveRanges(log, offsets, bounds);
  if (isOne) {
    reader.onSearch(ranges.reduce((sum, { from, to }) => sum + Number(to - from), 0));
    for (const part of await likelyFirst(log, ranges, reader.filter.eventId ?? ''))
      yield* readForward(part, reader, false);
    return;
  }
  if (!isMerged || follow || ranges.length === 1) return yield* readForward(ranges, reader, follow);
  for await (const records of mergeByTime(log, ranges, reader.signal)) {
    yield await withStatuses(wantedOf(records, reader), reader);
  }
}

/** Empty where the ledger knows no place, or the log has another record there, or none any more. */
async function readPlace(
  place: EventPlace | null,
  bounds: readonly Watermarks[],
  reader: LogReader,
): Promise<readonly LogEntry[]> {
  const found = bounds.find(({ partition }) => partition === place?.partition);
  if (place === null || found === undefined || place.offset < found.low || place.offset >= found.high)
    return [];
  const entries: LogEntry[] = [];
  const range = { partition: place.partition, from: place.offset, to: place.offset + 1n };
  for await (const page of readForward([range], reader, false)) entries.push(...page);
  return entries;
}

interface Newest {
  readonly count: number;
  /** The filters choose the newest; else they pick from them. */
  readonly isFiltered: boolean;
}

/** Null where everything of a range is wanted. */
function newestWanted(
  { offsets, partitions, limit, follow, isAll }: LogQuery,
  bounds: readonly Watermarks[],
): Newest | null {
  if (offsets === null) {
    if (isAll) return null;
    return { count: Math.min(limit ?? NEWEST, follow ? NEWEST : Infinity), isFiltered: true };
  }
  const { from, to } = offsets;
  if (from.at !== 'high' || from.minus === 0n || to !== null || partitions !== null) return null;
  const all = bounds.reduce((sum, { low, high }) => sum + high - low, 0n);
  return from.minus >= all ? null : { count: Number(from.minus), isFiltered: false };
}

async function* readFromNewest(
  reader: LogReader,
  bounds: readonly Watermarks[],
  { count, isFiltered }: Newest,
  follow: boolean,
): AsyncGenerator<readonly LogEntry[], void> {
  const parts = bounds.map(({ partition, low, high }) => ({ partition, from: low, to: high }));
  const entries = isFiltered
    ? await newestEntries(reader, parts, count)
    : await newestRecords(reader, parts, count);
  yield* pagesOf(entries, reader);
  if (follow)
    yield* readForward(
      bounds.map(({ partition, high }) => ({ partition, from: high, to: high })),
      reader,
      true,
    );
}

async function* pagesOf(
  entries: readonly LogEntry[],
  reader: LogReader,
): AsyncGenerator<readonly LogEntry[], void> {
  for (let at = 0; at < entries.length; at += PAGE)
    yield await withStatuses(entries.slice(at, at + PAGE), reader);
}

function newestEntries(
  reader: LogReader,
  parts: readonly Part[],
  count: number,
): Promise<readonly LogEntry[]> {
  const keep = (records: readonly LogRecord[]): Promise<readonly LogEntry[]> => {
    const wanted = wantedOf(records, reader);
    return reader.statuses === null ? Promise.resolve(wanted) : withStatuses(wanted, reader);
  };
  return readNewest(reader.log, parts, count, keep, reader.signal);
}

async function newestRecords(
  reader: LogReader,
  parts: readonly Part[],
  count: number,
): Promise<readonly LogEntry[]> {
  const keep = (records: readonly LogRecord[]) => Promise.resolve(records.map((record) => ({ record })));
  const newest = await readNewest(reader.log, parts, count, keep, reader.signal);
  return wantedOf(
    newest.map(({ record }) => record),
    reader,
  );
}
