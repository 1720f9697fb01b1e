import { operationOf } from '../../domain/sameness.ts';
import { createRecordPrinter } from '../../domain/record-json.ts';
import { decodeUtf8 } from '../../domain/utf8.ts';
import type { LogEntry } from './read-entries.ts';

/** An entry as a line of a table has it. */
export interface LogRow {
  /** ms since the epoch. */
  readonly timestamp: number;
  readonly partition: number;
  readonly offset: bigint;
  /** Null for what cannot be read or is of an ignored type: then `kind` says which. */
  readonly operation: string | null;
  readonly kind: 'cud' | 'rollback' | 'unreadable' | 'ignored';
  readonly userId: string | null;
  readonly eventId: string;
  readonly status: string | null;
  /** Null for a null value; of bytes that are no text how many they are. */
  readonly value: string | number | null;
}

/** Entries for a table. */
export function toRows(entries: readonly LogEntry[]): readonly LogRow[] {
  return entries.map(({ record, event, status = null }) => ({
    timestamp: record.timestamp,
    partition: record.partition,
    offset: record.offset,
    operation: operationOf(event),
    kind: event.kind,
    userId: event.userId,
    eventId: event.eventId,
    status,
    value: record.value === null ? null : (decodeUtf8(record.value) ?? record.value.length),
  }));
}

/** Prints entries as NDJSON, without the last line feed (record-json.ts says what is in a line). */
export function createNdjson(topic: string): (entries: readonly LogEntry[]) => string {
  const print = createRecordPrinter(topic);
  return (entries) => entries.map(({ record, event, status }) => print(record, event, status)).join('\n');
}

/** The values alone, byte for byte, a line feed after each; a null value is an empty line. */
export function toRaw(entries: readonly LogEntry[]): Buffer {
  return Buffer.concat(
    entries.flatMap(({ record: { value } }) => (value === null ? [LINE_FEED] : [value, LINE_FEED])),
  );
}

const LINE_FEED = Buffer.from('\n');
