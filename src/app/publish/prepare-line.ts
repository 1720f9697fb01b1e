import type { EnvelopeContext, OutgoingCudEvent } from '../../domain/envelope.ts';
import type { Operation } from '../../domain/event.ts';
import { parseInputLine, type InputEvent, type RecordClaims } from '../../domain/input-line.ts';
import { lineEventId } from '../../domain/line-event-id.ts';
import { readEnvelope } from '../../domain/read-envelope.ts';
import type { NewRecord } from '../../domain/record.ts';
import { Unreadable } from '../../domain/unreadable.ts';
import { decodeUtf8 } from '../../domain/utf8.ts';
import { userIdFault } from '../../domain/user-id.ts';
import { writeEnvelope } from '../../domain/write-envelope.ts';
import { MAX_LINE_BYTES, type RawLine } from './split-lines.ts';

/** A record that is ready to be sent, and what every consumer will know its event by. */
export interface Prepared {
  /** The line it comes from; 0 where it comes from flags. */
  readonly line: number;
  readonly record: NewRecord;
  /** Where `isIdDerived` it is the one at partition 0, offset 0, not the final one. */
  readonly eventId: string;
  /** The record states no id. */
  readonly isIdDerived: boolean;
  /** Null for what consumers pass over. */
  readonly operation: Operation | null;
  /** The operation, or the CloudEvent's type of what is passed over. */
  readonly type: string;
  readonly userId: string | null;
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
    const { event } = input;
    if (isPlain(event, context)) return preparePlain(event, number, runId, context);
    const hasOwnId = event.eventId !== undefined;
    return prepareEvent(
      withId(event, event.eventId ?? lineEventId(runId, number)),
      number,
      hasOwnId,
      context,
    );
  }
  // The id of a record that states none follows from its place and time: so the time must be known now.
  const record = { timestamp: context.now, ...input.record };
  const prepared = readBack(record, number, true, context);
  return 'reason' in prepared ? prepared : (contradiction(prepared, input.claims) ?? prepared);
}

/** Written out, since a spread costs 1.6 us of the 5.4 that a line took (V8 11.3). */
function withId(event: InputEvent, eventId: string): OutgoingCudEvent {
  const { kind, operation, userId, fields, partition, timestamp, causationId, traceparent } = event;
  return { kind, eventId, operation, userId, fields, partition, timestamp, causationId, traceparent };
}

function readBack(
  record: NewRecord,
  line: number,
  hasOwnId: boolean,
  { envelope, now }: EncodingContext,
): Prepared | Reject {
  const { key, value, headers, timestamp = now } = record;
  const event = readEnvelope({ partition: 0, offset: 0n, timestamp, key, value, headers }, envelope);
  if (event.kind === 'unreadable') return { line, reason: event.reason };
  const { eventId, isIdDerived, userId } = event;
  const operation = event.kind === 'ignored' ? null : event.operation;
  return {
    line,
    record,
    eventId,
    isIdDerived,
    operation,
    type: event.kind === 'ignored' ? event.ceType : event.operation,
    userId,
    hasOwnId: hasOwnId && !isIdDerived,
  };
}

/** Whether nothing but its user id can keep consumers from reading an event of ours: it states nothing but its data. */
function isPlain(event: InputEvent, { source }: EncodingContext): boolean {
  const { eventId, timestamp, causationId, traceparent, partition } = event;
  const states = eventId ?? timestamp ?? causationId ?? traceparent ?? partition;
  return states === undefined && source !== '' && !source.includes('\0');
}

/** The same as reading it back (a property of the tests), for a fifth of the time: its data were read from JSON just now. */
function preparePlain(
  event: InputEvent,
  line: number,
  runId: string,
  { envelope, source }: EncodingContext,
): Prepared | Reject {
  const fault = userIdFault(event.userId, envelope.keyType);
  return fault === null ? new PlainEvent(event, line, runId, source) : { line, reason: fault };
}

/** Encoded when its record is asked for: checking a whole input takes no bytes. */
class PlainEvent implements Prepared {
  readonly line: number;
  readonly isIdDerived = false;
  readonly hasOwnId = false;
  readonly #event: InputEvent;
  readonly #runId: string;
  readonly #source: string;
  #record: NewRecord | undefined;

  constructor(event: InputEvent, line: number, runId: string, source: string) {
    this.line = line;
    this.#event = event;
    this.#runId = runId;
    this.#source = source;
  }

  get operation(): Operation {
    return this.#event.operation;
  }

  get type(): string {
    return this.#event.operation;
  }

  get userId(): string {
    return this.#event.userId;
  }

  get eventId(): string {
    return lineEventId(this.#runId, this.line);
  }

  get record(): NewRecord {
    return (this.#record ??= writeEnvelope(withId(this.#event, this.eventId), this.#source));
  }
}

/** A line that was edited beside its headers, key and value would be sent as it was before: that is no one's wish. */
function contradiction(
  { line, eventId, isIdDerived, operation, userId }: Prepared,
  claims: RecordClaims,
): Reject | null {
  const facts = { eventId: isIdDerived ? null : eventId, operation, userId };
  for (const name of ['eventId', 'operation', 'userId'] as const) {
    if (claims[name] === null || facts[name] === null || claims[name] === facts[name]) continue;
    return { line, reason: `${name} is not what the record's key, headers and value say: change those` };
  }
  return null;
}
