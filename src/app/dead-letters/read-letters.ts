import { keepsRecord, ownHeaders, readDeadLetter, type DeadLetter } from '../../domain/dead-letter.ts';
import type { EnvelopeContext } from '../../domain/envelope.ts';
import type { LogEvent } from '../../domain/event.ts';
import { readEnvelope } from '../../domain/read-envelope.ts';
import type { LogRecord } from '../../domain/record.ts';
import type { EventLog, Watermarks } from '../../log/event-log.ts';
import { mergeByTime } from '../log/merge-by-time.ts';

/** Which dead letters are wanted; null does not matter. */
export interface LetterFilter {
  readonly userId: string | null;
  /** Part of the exception's class, whatever its case. */
  readonly exception: string | null;
  /** When the letter was written, ms since the epoch: [since, until). */
  readonly since: number | null;
  readonly until: number | null;
}

/** A record of a dead-letter topic, read. */
export interface Letter {
  readonly record: LogRecord;
  /** Null for a record that carries the headers of no known system. */
  readonly letter: DeadLetter | null;
  /** The event that the record was where it lay first; null where the letter does not keep it, or is none. */
  readonly event: LogEvent | null;
  readonly userId: string | null;
}

/** Reads a dead-letter topic to `ends`, a page at a time: by the letters' times, within a partition by offset. */
export async function* readLetters(
  letters: EventLog,
  ends: readonly Watermarks[],
  envelope: EnvelopeContext,
  signal: AbortSignal,
): AsyncGenerator<readonly Letter[], void> {
  for await (const records of readLetterRecords(letters, ends, signal))
    yield records.map((record) => openLetter(record, envelope));
}

/** The same as records, for whoever does not need the events. */
export async function* readLetterRecords(
  letters: EventLog,
  ends: readonly Watermarks[],
  signal: AbortSignal,
): AsyncGenerator<readonly LogRecord[], void> {
  const ranges = ends
    .filter(({ low, high }) => low < high)
    .map(({ partition, low, high }) => ({ partition, from: low, to: high }));
  if (ranges.length > 0) yield* mergeByTime(letters, ranges, signal);
}

/** `envelope` is that of the topic that the records come from. */
export function openLetter(record: LogRecord, envelope: EnvelopeContext): Letter {
  const letter = readDeadLetter(record);
  const event = letter === null || !keepsRecord(letter) ? null : originalEvent(record, letter, envelope);
  return { record, letter, event, userId: event?.userId ?? record.key?.toString() ?? null };
}

/** The event of a record, read where it lay first: a record without an id has one that is derived from there. */
function originalEvent(record: LogRecord, letter: DeadLetter, envelope: EnvelopeContext): LogEvent {
  const original = {
    ...record,
    partition: letter.partition ?? record.partition,
    offset: letter.offset ?? record.offset,
    timestamp: letter.timestamp ?? record.timestamp,
    headers: ownHeaders(record.headers),
  };
  return readEnvelope(original, { ...envelope, topic: letter.topic ?? envelope.topic });
}

/** True where a letter is wanted. */
export function isLetterWanted({ record, letter, userId }: Letter, filter: LetterFilter): boolean {
  const { since, until, exception } = filter;
  if (filter.userId !== null && userId !== filter.userId) return false;
  if (since !== null && record.timestamp < since) return false;
  if (until !== null && record.timestamp >= until) return false;
  return exception === null || includes(letter?.exception ?? '', exception);
}

function includes(text: string, part: string): boolean {
  return text.toLowerCase().includes(part.toLowerCase());
}
