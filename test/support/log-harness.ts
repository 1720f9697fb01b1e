import { openLogReader, readLog, type LogQuery, type LogReaderSettings } from '../../src/app/log.ts';
import type { LogEntry } from '../../src/app/log/read-entries.ts';
import type { NewRecord, RecordHeader } from '../../src/domain/record.ts';
import { parseOffsetSpec } from '../../src/domain/offset-spec.ts';
import type { EventLog } from '../../src/log/event-log.ts';

/** An id that reads as its number in failures. */
export const idOf = (n: number): string => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;

/** A record as `publish` writes it; `n` is its id, its time (ms) and in its value. */
export function eventRecord(n: number, userId: string, more: Partial<NewRecord> = {}): NewRecord {
  const header = (key: string, value: string): RecordHeader => ({ key, value: Buffer.from(value) });
  return {
    key: Buffer.from(userId),
    value: Buffer.from(JSON.stringify({ userId, n })),
    headers: [
      header('ce_specversion', '1.0'),
      header('ce_id', idOf(n)),
      header('ce_type', n % 10 === 0 ? 'user.updated' : 'user.created'),
      header('ce_source', '/test'),
    ],
    timestamp: 1_000_000 + n,
    ...more,
  };
}

export interface Asked extends Partial<Omit<LogQuery, 'offsets'>>, Partial<LogReaderSettings> {
  readonly offsets?: LogQuery['offsets'] | undefined;
  /** As -o. */
  readonly o?: string;
}

/** Pages as `log` reads them: by time, the newest 20, unless it is asked otherwise. */
export async function* pagesOf(log: EventLog, asked: Asked): AsyncGenerator<readonly LogEntry[], void> {
  const { filter = {}, statuses = null, db = null, signal = new AbortController().signal } = asked;
  const { onRead = () => undefined, partitions = null, isAll = false, limit = null, follow = false } = asked;
  const { isMerged = true, isNewestFirst = false, o } = asked;
  const types = { ignoreTypes: [], mapTypes: new Map<string, string>() };
  const reader = await openLogReader(log, {
    filter,
    statuses,
    db,
    signal,
    onRead,
    types,
    onUnreadable: () => undefined,
    now: Date.now,
  });
  const offsets = o === undefined ? null : parseOffsetSpec(o, Date.now());
  yield* readLog(reader, { partitions, offsets, isAll, limit, follow, isMerged, isNewestFirst });
}

/** All entries that are asked for. */
export async function entriesOf(log: EventLog, asked: Asked = {}): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for await (const page of pagesOf(log, asked)) entries.push(...page);
  return entries;
}

/** The numbers (`eventRecord`) of the entries that are asked for. */
export async function numbersOf(log: EventLog, asked: Asked = {}): Promise<number[]> {
  return (await entriesOf(log, asked)).map(({ event }) => Number(event.eventId.slice(-12)));
}
