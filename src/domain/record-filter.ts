import { CUD_OPERATIONS, type LogEvent } from './event.ts';
import { HEADER } from './envelope.ts';
import { operationOf } from './sameness.ts';
import type { LogRecord } from './record.ts';
import { decodeUtf8 } from './utf8.ts';
import { canonicalUuid } from './uuid.ts';

/** What `--operation` chooses from: the operations, and the records that have none. */
export const OPERATION_CHOICES = [...CUD_OPERATIONS, 'rollback', 'unreadable', 'ignored'] as const;

/** Which records of the log are wanted; what is not given does not matter. */
export interface RecordFilter {
  readonly userId?: string;
  /** The id as the ledger has it, or as the producer wrote it. */
  readonly eventId?: string;
  /** Of `OPERATION_CHOICES`. */
  readonly operations?: ReadonlySet<string>;
  /** Looked for in the key, the value and the values of headers, as text. */
  readonly pattern?: RegExp;
}

/** False where a record cannot be wanted, by its bytes alone: saves reading the rest of it. */
export function mayMatch(record: LogRecord, { userId, eventId }: RecordFilter): boolean {
  if (userId !== undefined && record.key !== null && !record.key.equals(Buffer.from(userId))) return false;
  if (eventId === undefined) return true;
  // An id in a header settles it, unless it is asked by the id that was made of it and the source (UUIDv5).
  const stated = record.headers.findLast(({ key }) => key === HEADER.id)?.value;
  if (stated === undefined || stated === null || eventId.charAt(14) === '5') return true;
  return stated.toString().toLowerCase() === eventId.toLowerCase();
}

/** True where a record is wanted. */
export function isWanted(record: LogRecord, event: LogEvent, filter: RecordFilter): boolean {
  const { userId, eventId, operations, pattern } = filter;
  if (userId !== undefined && event.userId !== userId) return false;
  if (eventId !== undefined && event.ceId !== eventId && event.eventId !== canonicalUuid(eventId))
    return false;
  if (operations !== undefined && !operations.has(operationOf(event) ?? event.kind)) return false;
  return pattern === undefined || textsOf(record).some((text) => pattern.test(text));
}

function textsOf({ key, value, headers }: LogRecord): string[] {
  return [key, value, ...headers.map((header) => header.value)].flatMap((bytes) => {
    const text = bytes === null ? null : decodeUtf8(bytes);
    return text === null ? [] : [text];
  });
}
