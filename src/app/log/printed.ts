import { operationOf } from '../../domain/sameness.ts';
import { createRecordPrinter } from '../../domain/record-printer.ts';
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

/**
 * Prints entries as NDJSON (record-json.ts says what is in a line). As bytes, line by line: joining the lines of a page to
 * one text first, which the stream then encodes, takes twice as long.
 */
export function createNdjson(topic: string): (entries: readonly LogEntry[]) => Buffer {
  const print = createRecordPrinter(topic);
  let buffer = Buffer.alloc(0);
  return (entries) => {
    let length = 0;
    for (const { record, event, status } of entries) {
      const line = print(record, event, status);
      // UTF-8 takes at most three bytes for each unit of a string's length.
      const needed = length + line.length * 3 + 1;
      if (needed > buffer.length) buffer = grown(buffer, length, needed);
      length += buffer.write(line, length);
      length = buffer.writeUInt8(LF, length);
    }
    // The next page begins behind this one: the stream may still have it.
    const page = buffer.subarray(0, length);
    buffer = buffer.subarray(length);
    return page;
  };
}

function grown(buffer: Buffer, length: number, needed: number): Buffer<ArrayBuffer> {
  const larger = Buffer.allocUnsafe(Math.max(needed * 2, PAGE_BYTES));
  buffer.copy(larger, 0, 0, length);
  return larger;
}

/** The values alone, byte for byte, a line feed after each; a null value is an empty line. */
export function toRaw(entries: readonly LogEntry[]): Buffer {
  return Buffer.concat(
    entries.flatMap(({ record: { value } }) => (value === null ? [LINE_FEED] : [value, LINE_FEED])),
  );
}

const LF = 0x0a;
const LINE_FEED = Buffer.of(LF);
/** What is allocated for some pages at once. */
const PAGE_BYTES = 1024 * 1024;
