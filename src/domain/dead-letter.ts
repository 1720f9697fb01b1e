import {
  CONNECT,
  isDeadLetterHeader,
  OWN_HEADER,
  SHARE_GROUP,
  SPRING,
  STREAMS,
} from './dead-letter-headers.ts';
import type { LogRecord, RecordHeader } from './record.ts';
import { decodeUtf8 } from './utf8.ts';

/** Who wrote a dead letter. */
export const DEAD_LETTER_SYSTEMS = ['user-events', 'spring', 'connect', 'streams', 'share-group'] as const;
export type DeadLetterSystem = (typeof DEAD_LETTER_SYSTEMS)[number];

/** What a dead letter says of itself; null where it does not say it, or says it in a form that is none. */
export interface DeadLetter {
  readonly system: DeadLetterSystem;
  readonly topic: string | null;
  readonly partition: number | null;
  readonly offset: bigint | null;
  /** ms since the epoch; null where the letter's own timestamp is the original one or says nothing. */
  readonly timestamp: number | null;
  /** Consumer group, share group or connector. */
  readonly group: string | null;
  /** A Java class, or our `user-events.CODE`. Spring wraps what a listener throws: then it is the cause. */
  readonly exception: string | null;
  readonly message: string | null;
  /** Of our letters the event's id. */
  readonly eventId: string | null;
  /** How often the record was put back before. */
  readonly putBacks: number;
  /** False of a letter of ours that is without the record's value: the topic would not take it. */
  readonly isWhole: boolean;
}

/** True where key, value and headers are copied; of other letters the original has to be read. */
export function keepsRecord({ system, isWhole }: DeadLetter): boolean {
  return isWhole && system !== 'streams' && system !== 'share-group';
}

/** The record without what made it a dead letter. */
export function ownHeaders(headers: readonly RecordHeader[]): readonly RecordHeader[] {
  return headers.filter((header) => !isDeadLetterHeader(header));
}

/** Reads a dead letter; null for a record that is none. Of a name that repeats the last one counts, as in Java. */
export function readDeadLetter({ headers }: Pick<LogRecord, 'headers'>): DeadLetter | null {
  const last = new Map(headers.map(({ key, value }) => [key, value]));
  const text = (key: string): string | null => textOf(last.get(key));
  const putBacks = wholeOf(text(OWN_HEADER.putBack));
  const eventId = text(OWN_HEADER.eventId);
  const isWhole = !last.has(OWN_HEADER.leftOut);
  const common = { eventId, putBacks: putBacks === null ? 0 : Number(putBacks), isWhole };
  if (last.has(`${SPRING}original-topic`)) {
    const system = eventId === null ? 'spring' : 'user-events';
    return { ...common, ...readSpring(last, text), system };
  }
  if (last.has(`${CONNECT}topic`)) {
    return {
      ...common,
      ...placeIn(CONNECT, text),
      system: 'connect',
      group: text(`${CONNECT}connector.name`),
      exception: text(`${CONNECT}exception.class.name`),
      message: text(`${CONNECT}exception.message`),
    };
  }
  if (last.has(`${STREAMS}topic`)) {
    // `Throwable.toString`: class, and after a colon the message.
    const [exception = null] = text(`${STREAMS}exception`)?.split(':', 1) ?? [];
    return {
      ...common,
      ...placeIn(STREAMS, text),
      system: 'streams',
      group: null,
      exception,
      message: text(`${STREAMS}message`),
    };
  }
  if (!last.has(`${SHARE_GROUP}topic`)) return null;
  return {
    ...common,
    ...placeIn(SHARE_GROUP, text),
    system: 'share-group',
    group: text(`${SHARE_GROUP}group`),
    exception: null,
    message: text(`${SHARE_GROUP}message`),
  };
}

type Text = (key: string) => string | null;

function readSpring(
  headers: ReadonlyMap<string, Buffer | null>,
  text: Text,
): Omit<DeadLetter, 'system' | 'eventId' | 'putBacks' | 'isWhole'> {
  const number = (name: string): bigint | null => bigEndian(headers.get(`${SPRING}${name}`));
  const partition = number('original-partition');
  const timestamp = number('original-timestamp');
  const thrown = text(`${SPRING}exception-fqcn`);
  const cause = text(`${SPRING}exception-cause-fqcn`);
  const isWrapped = thrown?.startsWith('org.springframework.kafka.listener.') ?? false;
  return {
    topic: text(`${SPRING}original-topic`),
    partition: partition === null ? null : Number(partition),
    offset: number('original-offset'),
    // -1 is Kafka's "none".
    timestamp: timestamp === null || timestamp < 0n ? null : Number(timestamp),
    group: text(`${SPRING}original-consumer-group`),
    exception: isWrapped ? (cause ?? thrown) : thrown,
    message: text(`${SPRING}exception-message`),
  };
}

function placeIn(
  prefix: string,
  text: Text,
): Pick<DeadLetter, 'topic' | 'partition' | 'offset' | 'timestamp'> {
  const partition = wholeOf(text(`${prefix}partition`));
  return {
    topic: text(`${prefix}topic`),
    partition: partition === null ? null : Number(partition),
    offset: wholeOf(text(`${prefix}offset`)),
    timestamp: null,
  };
}

function textOf(value: Buffer | null | undefined): string | null {
  return value === undefined || value === null ? null : decodeUtf8(value);
}

/** A whole number in decimal, from 0 on, of no more digits than an offset has. */
function wholeOf(text: string | null): bigint | null {
  return text !== null && /^\d{1,18}$/.test(text) ? BigInt(text) : null;
}

/** Spring's numbers: 4 or 8 bytes, big-endian. */
function bigEndian(value: Buffer | null | undefined): bigint | null {
  if (value?.length === 4) return BigInt(value.readInt32BE());
  return value?.length === 8 ? value.readBigInt64BE() : null;
}
