import type { EnvelopeContext } from '../../domain/envelope.ts';
import type { LogEvent } from '../../domain/event.ts';
import { readEnvelope } from '../../domain/read-envelope.ts';
import { isWanted, mayMatch, type RecordFilter } from '../../domain/record-filter.ts';
import { detached, type LogRecord } from '../../domain/record.ts';
import type { EventLog, ReadRange, RecordBatch } from '../../log/event-log.ts';
import { noStatuses, type StatusLookup } from './status-lookup.ts';

/** Entries that are looked up in the ledger, and handed on, together. */
const PAGE_ENTRIES = 1000;

/** A record that is wanted, and what it says. */
export interface LogEntry {
  readonly record: LogRecord;
  readonly event: LogEvent;
  /** What this service's ledger says: a status, or `pending`. Absent where the ledger cannot be read. */
  readonly status?: string;
}

export interface LogReader {
  readonly log: EventLog;
  readonly envelope: EnvelopeContext;
  readonly filter: RecordFilter;
  /** Of the ledger, and `pending`; null: all. */
  readonly statuses: ReadonlySet<string> | null;
  readonly lookUp: StatusLookup;
  readonly signal: AbortSignal;
  /** Told how many records were read. */
  readonly onRead: (records: number) => void;
}

/** The records that are wanted. Their statuses are looked up later, a page at once. */
export function wantedOf(records: readonly LogRecord[], { envelope, filter, onRead }: LogReader): LogEntry[] {
  const wanted: LogEntry[] = [];
  for (const record of records) {
    if (!mayMatch(record, filter)) continue;
    const event = readEnvelope(record, envelope);
    if (isWanted(record, event, filter)) wanted.push({ record, event });
  }
  onRead(records.length);
  // Few of many are waited for with others from elsewhere: they must not keep the whole answer of the log each.
  return wanted.length * 2 < records.length ? wanted.map((entry) => ownEntry(entry, envelope)) : wanted;
}

function ownEntry(entry: LogEntry, envelope: EnvelopeContext): LogEntry {
  const record = detached(entry.record);
  return { record, event: readEnvelope(record, envelope) };
}

/** Adds the statuses and drops what has another one than those that are wanted. */
export async function withStatuses(
  entries: readonly LogEntry[],
  { lookUp, statuses }: LogReader,
): Promise<readonly LogEntry[]> {
  if (entries.length === 0) return entries;
  const found = await lookUp(entries.map(({ event }) => event.eventId));
  if (found === null) return entries;
  const known = entries.map((entry, at) => ({ ...entry, status: found[at] ?? 'pending' }));
  return statuses === null ? known : known.filter(({ status }) => statuses.has(status));
}

/**
 * Reads ranges as the log gives them, partitions interleaved. What is there now comes in pages, the look-up of one under
 * way while the next one is read; then, with `follow`, whatever comes, at once, until the signal aborts.
 */
export async function* readForward(
  ranges: readonly ReadRange[],
  reader: LogReader,
  follow: boolean,
): AsyncGenerator<readonly LogEntry[], void> {
  const next = new Map(ranges.map(({ partition, from }) => [partition, from]));
  const seen = (batch: RecordBatch): void => {
    next.set(batch.partition, batch.nextOffset);
  };
  yield* readPages(ranges, reader, seen);
  if (!follow || reader.signal.aborted) return;
  const rest = [...next].map(([partition, from]) => ({ partition, from }));
  for await (const batch of reader.log.read(rest, { follow: true, signal: reader.signal })) {
    const page = await withStatuses(wantedOf(batch.records, reader), reader);
    if (page.length > 0) yield page;
  }
}

async function* readPages(
  ranges: readonly ReadRange[],
  reader: LogReader,
  onBatch: (batch: RecordBatch) => void,
): AsyncGenerator<readonly LogEntry[], void> {
  let page: LogEntry[] = [];
  let lookedUp: Promise<readonly LogEntry[]> | null = null;
  for await (const batch of reader.log.read(ranges, { signal: reader.signal })) {
    onBatch(batch);
    const wanted = wantedOf(batch.records, reader);
    if (reader.lookUp === noStatuses) {
      // Nothing to wait for: gone before the next batch is read, it costs the garbage collector next to nothing.
      if (wanted.length > 0) yield wanted;
      continue;
    }
    page = page.concat(wanted);
    if (page.length < PAGE_ENTRIES) continue;
    const before = lookedUp;
    lookedUp = withStatuses(page, reader);
    // Awaited at the next page: until then its failure is nobody's.
    lookedUp.catch(() => undefined);
    page = [];
    if (before !== null) yield await before;
  }
  if (lookedUp !== null) yield await lookedUp;
  yield await withStatuses(page, reader);
}
