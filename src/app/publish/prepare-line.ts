import type { EnvelopeContext } from '../../domain/envelope.ts';
import type { LogEvent } from '../../domain/event.ts';
import { parseInputLine, type InputEvent, type RecordClaims } from '../../domain/input-line.ts';
import { lineEventId } from '../../domain/line-event-id.ts';
import { readEnvelope } from '../../domain/read-envelope.ts';
import { operationOf } from '../../domain/sameness.ts';
import type { NewRecord } from '../../domain/record.ts';
import { Unreadable } from '../../domain/unreadable.ts';
import { decodeUtf8 } from '../../domain/utf8.ts';
import { writeEnvelope } from '../../domain/write-envelope.ts';
import { MAX_LINE_BYTES, type RawLine } from './split-lines.ts';

/** A record that is ready to be sent, and the event that every consumer will read from it. */
export interface Prepared {
  /** The line it comes from; 0 where it comes from flags. */
  readonly line: number;
  readonly record: NewRecord;
  /** As it is read at partition 0, offset 0: of a record without an id of its own, `eventId` is not the final one. */
  readonly event: LogEvent;
  /** Its id stands in the input. */
  readonly hasOwnId: boolean;
}

export interface Reject {
  /** From 1. */
  readonly line: number;
  /** One line, without the user's data. */
  readonly reason: string;
}

export interface EncodingContext {
  readonly envelope: EnvelopeContext;
  /** `ce_source`. */
  readonly source: string;
  /** ms since the epoch. */
  readonly now: number;
}

/** Encodes an event and reads it back as a consumer does: a reason where a consumer could not read it. */
export function prepareEvent(
  event: InputEvent & { readonly eventId: string },
  line: number,
  hasOwnId: boolean,
  context: EncodingContext,
): Prepared | Reject {
  return readBack(writeEnvelope(event, context.source), line, hasOwnId, context);
}

/** Checks and encodes one line of an input; null where it is blank. */
export function prepareLine(
  { number, bytes, isTooLong }: RawLine,
  runId: string,
  context: EncodingContext,
): Prepared | Reject | null {
  if (isTooLong) return { line: number, reason: `the line is longer than ${String(MAX_LINE_BYTES)} bytes` };
  const text = decodeUtf8(bytes);
  if (text === null) return { line: number, reason: 'the line is not UTF-8' };
  if (text.trim() === '') return null;
  const input = parseInputLine(text);
  if (input instanceof Unreadable) return { line: number, reason: input.reason };
  if (input.kind === 'event') {
    const { eventId = lineEventId(runId, number) } = input.event;
    return prepareEvent({ ...input.event, eventId }, number, input.event.eventId !== undefined, context);
  }
  // The id of a record that states none follows from its place and time: so the time must be known now.
  const record = { timestamp: context.now, ...input.record };
  const prepared = readBack(record, number, true, context);
  return 'reason' in prepared ? prepared : (contradiction(prepared, input.claims) ?? prepared);
}

function readBack(
  record: NewRecord,
  line: number,
  hasOwnId: boolean,
  { envelope, now }: EncodingContext,
): Prepared | Reject {
  const event = readEnvelope({ timestamp: now, ...record, partition: 0, offset: 0n }, envelope);
  if (event.kind === 'unreadable') return { line, reason: event.reason };
  return { line, record, event, hasOwnId: hasOwnId && !event.isIdDerived };
}

/** A line that was edited beside its headers, key and value would be sent as it was before: that is no one's wish. */
function contradiction({ line, event }: Prepared, claims: RecordClaims): Reject | null {
  const facts = {
    eventId: event.isIdDerived ? null : event.eventId,
    operation: operationOf(event),
    userId: event.userId,
  };
  for (const name of ['eventId', 'operation', 'userId'] as const) {
    if (claims[name] === null || facts[name] === null || claims[name] === facts[name]) continue;
    return { line, reason: `${name} is not what the record's key, headers and value say: change those` };
  }
  return null;
}
