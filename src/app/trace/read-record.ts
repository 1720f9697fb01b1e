import type { EnvelopeContext } from '../../domain/envelope.ts';
import { HEADER } from '../../domain/envelope.ts';
import { readEnvelope } from '../../domain/read-envelope.ts';
import { RawJson } from '../../domain/raw-json.ts';
import { createRecordPrinter } from '../../domain/record-printer.ts';
import type { LogRecord } from '../../domain/record.ts';
import { decodeUtf8 } from '../../domain/utf8.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { EventPlace } from '../../postgres/sql/read-statuses.ts';
import type { Published } from './event-trace.ts';
import type { FoundRecord } from './find-event.ts';

/** Nothing is known of the record, and why. */
function noRecord(missing: string): Published {
  return { record: null, missing, source: null, type: null, traceparent: null, causationId: null };
}

/** Who published a record. `status` is what this service's ledger says. */
export function publishedOf({ record, event }: FoundRecord, topic: string, status: string): Published {
  return {
    record: new RawJson(createRecordPrinter(topic)(record, event, status)),
    missing: null,
    source: event.source,
    type: headerOf(record, HEADER.type),
    traceparent: headerOf(record, HEADER.traceparent),
    causationId: headerOf(record, HEADER.causationId),
  };
}

/** Of a name that repeats the last one counts. */
function headerOf(record: LogRecord, name: string): string | null {
  const value = record.headers.findLast(({ key }) => key === name)?.value ?? null;
  return value === null ? null : decodeUtf8(value);
}

export interface ReadRecord extends EventPlace {
  /** ms since the epoch, as the ledger has it. */
  readonly timestamp: number;
  readonly status: string;
}

/**
 * Reads the record of an event that the ledger knows, by its place, without a group. A log that is away or no longer
 * has it is no error: the ledger's part of the story stands without it.
 */
export async function readPublished(
  openLog: () => Promise<{ readonly log: EventLog; readonly envelope: EnvelopeContext }>,
  { partition, offset, timestamp, status }: ReadRecord,
  signal: AbortSignal,
): Promise<Published> {
  try {
    const { log, envelope } = await openLog();
    const record = await readOne(log, { partition, offset }, signal);
    if (record === null) return noRecord('the log no longer has it');
    if (record.timestamp !== timestamp) return noRecord('the log has another record there: it was made anew');
    return publishedOf({ record, event: readEnvelope(record, envelope) }, envelope.topic, status);
  } catch (error) {
    if (!(error instanceof UserEventsError)) throw error;
    if (error.code === 'OFFSET_OUT_OF_RANGE') return noRecord('the log no longer has it');
    return noRecord(`the log cannot be read: ${error.message} (${error.code})`);
  }
}

async function readOne(
  log: EventLog,
  { partition, offset }: EventPlace,
  signal: AbortSignal,
): Promise<LogRecord | null> {
  for await (const { records } of log.read([{ partition, from: offset, to: offset + 1n }], { signal })) {
    const found = records.find((record) => record.offset === offset);
    if (found !== undefined) return found;
  }
  return null;
}
