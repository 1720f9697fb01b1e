import type { EnvelopeContext } from '../domain/envelope.ts';
import type { Status } from '../domain/event.ts';
import type { InputEvent } from '../domain/input-line.ts';
import { partitionFor } from '../domain/partitioner.ts';
import type { NewRecord } from '../domain/record.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import type { EventLog } from '../log/event-log.ts';
import type { Database } from '../postgres/transaction.ts';
import { readStatuses } from '../postgres/sql/read-statuses.ts';
import { requireBoundTopic } from './bound-topic.ts';
import { envelopeContext, findKeyType, type TypeSettings } from './envelope-context.ts';
import { prepareEvent, type EncodingContext, type Prepared } from './publish/prepare-line.ts';
import { waitForOutcomes } from './publish/wait-for-outcomes.ts';

/** What publishing needs, whatever it publishes. */
export interface Publisher {
  readonly log: EventLog;
  readonly envelope: EnvelopeContext;
  readonly partitionCount: number;
  /** `ce_source`. */
  readonly source: string;
  /** ms since the epoch. */
  readonly now: () => number;
  /** A new UUIDv7. */
  readonly newId: () => string;
  readonly signal: AbortSignal;
}

export interface PublisherSettings extends Pick<Publisher, 'source' | 'now' | 'newId' | 'signal'> {
  /** Tells the type of the key column; null where this service's database is not configured. */
  readonly db: Database | null;
  readonly types: TypeSettings;
}

/**
 * Asks the log what it is, so that a missing topic is told before anything is read or sent: TOPIC_NOT_FOUND. A database
 * that is away does not keep an event from being published: then every text is taken for a user id.
 */
export async function openPublisher(
  log: EventLog,
  { db, types, ...given }: PublisherSettings,
): Promise<Publisher> {
  const [topic, keyType] = await Promise.all([log.describe(), db === null ? null : findKeyType(db)]);
  const envelope = envelopeContext(topic, keyType ?? 'text', types);
  return { ...given, log, envelope, partitionCount: topic.partitionCount };
}

/** Wait until this service's consumer has decided. */
export interface WaitRequest {
  readonly db: Database;
  readonly timeoutMs: number;
}

/** A record as it would be sent. */
export interface PreviewedRecord {
  readonly eventId: string;
  readonly operation: string | null;
  readonly userId: string | null;
  /** Null where the log decides, since there is no key. */
  readonly partition: number | null;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly { readonly key: string; readonly value: string | null }[];
}

/** One event that was published, or would be. */
export interface PublishedEvent {
  readonly dryRun: boolean;
  readonly eventId: string;
  readonly operation: string | null;
  readonly userId: string | null;
  readonly topic: string;
  readonly partition: number | null;
  /** Null for a dry run. */
  readonly offset: bigint | null;
  /** For a dry run alone. */
  readonly record?: PreviewedRecord;
  /** With `--wait` alone: what this service's consumer made of it. */
  readonly status?: Status;
  readonly errorCode?: string | null;
  /** It was read, and has no effect. */
  readonly hasFailures: boolean;
}

export interface PublishEventRequest {
  readonly event: InputEvent;
  readonly isDryRun: boolean;
  readonly wait: WaitRequest | null;
}

/** What encoding needs of a publisher. */
export function encodingOf({ envelope, source, now }: Publisher): EncodingContext {
  return { envelope, source, now: now() };
}

/**
 * Publishes one event. Throws USAGE where no consumer could read it, and whatever the log throws; with `wait` TIMED_OUT
 * and what the database throws, before anything is sent where it cannot be reached.
 */
export async function publishEvent(
  publisher: Publisher,
  { event, isDryRun, wait }: PublishEventRequest,
): Promise<PublishedEvent> {
  const eventId = event.eventId ?? publisher.newId();
  const hasOwnId = event.eventId !== undefined;
  const prepared = prepareEvent({ ...event, eventId }, 0, hasOwnId, encodingOf(publisher));
  if ('reason' in prepared)
    throw new UserEventsError('USAGE', `The event cannot be sent: ${prepared.reason}`);
  const head = {
    eventId: prepared.eventId,
    operation: prepared.operation,
    userId: prepared.userId,
    topic: publisher.envelope.topic,
    hasFailures: false,
  };
  if (isDryRun) {
    const record = previewRecord(prepared, publisher.partitionCount);
    return { ...head, dryRun: true, partition: record.partition, offset: null, record };
  }
  if (wait !== null) {
    await requireBoundTopic(wait.db, publisher.envelope.topic);
    await readStatuses(wait.db.pool, wait.db.schema, []);
  }
  const [position] = await publisher.log.append([prepared.record]);
  if (position === undefined) throw new Error('The log told no position');
  const published = { ...head, dryRun: false, ...position };
  return wait === null ? published : { ...published, ...(await waitForOne(publisher, head.eventId, wait)) };
}

async function waitForOne(
  { now, signal }: Publisher,
  eventId: string,
  { db, timeoutMs }: WaitRequest,
): Promise<Partial<PublishedEvent>> {
  const { hasFailures } = await waitForOutcomes(db, [eventId], {
    timeoutMs,
    now,
    signal,
    onProgress: () => undefined,
  });
  const outcome = (await readStatuses(db.pool, db.schema, [eventId])).get(eventId);
  return { ...outcome, hasFailures };
}

/** The record that would be sent, its bytes as text. */
export function previewRecord(
  { record, eventId, operation, userId }: Prepared,
  partitionCount: number,
): PreviewedRecord {
  return {
    eventId,
    operation,
    userId,
    partition: partitionOf(record, partitionCount),
    key: record.key?.toString() ?? null,
    value: record.value?.toString() ?? null,
    headers: record.headers.map(({ key, value }) => ({ key, value: value?.toString() ?? null })),
  };
}

function partitionOf({ partition, key }: NewRecord, partitionCount: number): number | null {
  return partition ?? (key === null ? null : partitionFor(key, partitionCount));
}
