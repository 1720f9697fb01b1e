/**
 * The headers of dead letters: a record that a consumer could not execute, copied to another topic. Four systems write
 * them, each under a prefix of its own; ours are those of the first two, so that what watches their topics sees ours.
 *
 * - Spring Kafka: `KafkaHeaders.DLT_*`, written by `DeadLetterPublishingRecoverer`. Numbers are big-endian bytes.
 * - Kafka Connect: `DeadLetterQueueReporter` (KIP-298). Everything is text.
 * - Kafka Streams: `ExceptionHandlerUtils` (KIP-1034). Text; the record's own headers are not kept.
 * - Share groups: `ShareGroupDLQStateManager` (KIP-1191). Text; the record's own headers are not kept, nor are key and
 *   value unless the group asks for them.
 */
import type { RecordHeader } from './record.ts';

export const SPRING = 'kafka_dlt-';
export const CONNECT = '__connect.errors.';
export const STREAMS = '__streams.errors.';
export const SHARE_GROUP = '__dlq.errors.';

/** Ours. */
export const OWN_HEADER = {
  /** On a dead letter that we wrote: the event's id. A letter may be written twice: then it tells that they are one. */
  eventId: 'user_events_event_id',
  /** On a record that was put back: how often it has been, from 1. */
  putBack: 'user_events_put_back',
  /** On a record that was put back and carries no id: the id that it had where it lay first. */
  originalId: 'user_events_original_id',
  /** On a dead letter that the topic would not take whole: what of the record it is without (`value, headers`). */
  leftOut: 'user_events_left_out',
} as const;

/** Of retry topics (Spring's `@RetryableTopic`): what leads from one to the next. */
const SPRING_RETRY = ['kafka_exception-', 'kafka_original-', 'retry_topic-'];
const OF_LETTERS: ReadonlySet<string> = new Set([OWN_HEADER.eventId, OWN_HEADER.leftOut]);
const PREFIXES = [SPRING, CONNECT, STREAMS, SHARE_GROUP, ...SPRING_RETRY];

/** True of a header that says why and from where a record came to a dead-letter topic, and is none of its own. */
export function isDeadLetterHeader({ key }: RecordHeader): boolean {
  return OF_LETTERS.has(key) || PREFIXES.some((prefix) => key.startsWith(prefix));
}

/** A message may quote a whole value (PostgreSQL's 22P02 does), stands in four headers, and the ledger has all of it. */
const MESSAGE_BYTES = 1_000;

/** A failed event, as its dead letter tells of it. */
export interface FailedLetter {
  readonly eventId: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** ms since the epoch. */
  readonly timestamp: number;
  /** Our consumer group: Spring's group, Connect's connector. */
  readonly group: string;
  /** Of the closed list, and the server's where it was the database's. */
  readonly code: string;
  readonly sqlState: string | null;
  readonly message: string;
}

/**
 * The headers that Spring Kafka and Kafka Connect would have written of a failed event, and its id. An error class stands
 * where Java has a class name: `user-events.DATABASE_CONSTRAINT`, its cause `postgresql.23514`.
 */
export function deadLetterHeaders(letter: FailedLetter): readonly RecordHeader[] {
  const { topic, partition, offset, timestamp, group, code, sqlState } = letter;
  const message = shortened(letter.message);
  const exception = `user-events.${code}`;
  const stack = `${exception}: ${message}\n\tat ${topic}[${String(partition)}]@${offset.toString()}`;
  return [
    text(OWN_HEADER.eventId, letter.eventId),
    text(`${SPRING}original-topic`, topic),
    int32(`${SPRING}original-partition`, partition),
    int64(`${SPRING}original-offset`, offset),
    int64(`${SPRING}original-timestamp`, BigInt(timestamp)),
    text(`${SPRING}original-timestamp-type`, 'CreateTime'),
    text(`${SPRING}original-consumer-group`, group),
    text(`${SPRING}exception-fqcn`, exception),
    ...(sqlState === null ? [] : [text(`${SPRING}exception-cause-fqcn`, `postgresql.${sqlState}`)]),
    text(`${SPRING}exception-message`, message),
    text(`${SPRING}exception-stacktrace`, stack),
    text(`${CONNECT}topic`, topic),
    text(`${CONNECT}partition`, String(partition)),
    text(`${CONNECT}offset`, offset.toString()),
    text(`${CONNECT}connector.name`, group),
    text(`${CONNECT}task.id`, String(partition)),
    // Connect's own names: a value that cannot be read, and a record that the sink refuses.
    text(`${CONNECT}stage`, UNREADABLE_CODES.has(code) ? 'VALUE_CONVERTER' : 'TASK_PUT'),
    text(`${CONNECT}class.name`, 'user-events'),
    text(`${CONNECT}exception.class.name`, exception),
    text(`${CONNECT}exception.message`, message),
    text(`${CONNECT}exception.stacktrace`, stack),
  ];
}

const UNREADABLE_CODES: ReadonlySet<string> = new Set(['UNREADABLE', 'UNKNOWN_TYPE', 'EVENT_ID_REUSED']);

/** Whole characters, at most `MESSAGE_BYTES` of UTF-8 and an ellipsis. */
function shortened(message: string): string {
  const bytes = Buffer.from(message);
  if (bytes.length <= MESSAGE_BYTES) return message;
  let end = MESSAGE_BYTES;
  // Bytes 10xxxxxx go on with a character.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.toString('utf8', 0, end)}…`;
}

function text(key: string, value: string): RecordHeader {
  return { key, value: Buffer.from(value) };
}

function int32(key: string, value: number): RecordHeader {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return { key, value: bytes };
}

function int64(key: string, value: bigint): RecordHeader {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return { key, value: bytes };
}
