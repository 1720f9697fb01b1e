import type { EnvelopeContext } from '../../domain/envelope.ts';
import { identityOfCloudEvent } from '../../domain/event-identity.ts';
import type { LogEvent } from '../../domain/event.ts';
import { readEnvelope } from '../../domain/read-envelope.ts';
import { isWanted, mayMatch } from '../../domain/record-filter.ts';
import type { LogRecord } from '../../domain/record.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { EventLog, ReadRange } from '../../log/event-log.ts';
import type { Position } from '../../postgres/sql/positions.ts';
import { findByCeId, findByPlace, readEvents } from '../../postgres/sql/read-event.ts';
import type { EventPlace } from '../../postgres/sql/read-statuses.ts';
import type { PoolClient } from '../../postgres/transaction.ts';

/** A record of the log, and what it says. */
export interface FoundRecord {
  readonly record: LogRecord;
  readonly event: LogEvent;
}

/** `TOPIC[P]@OFFSET` as messages name an event, or `P@OFFSET` as tables do. */
const PLACE = /^(?:[^[\]]+\[(\d{1,9})\]|(\d{1,9}))@(\d{1,19})$/;

/** The place that a text names, or null where it is no place. */
function placeOf(text: string): EventPlace | null {
  const match = PLACE.exec(text);
  if (match === null) return null;
  return { partition: Number(match[1] ?? match[2]), offset: BigInt(match[3] ?? '') };
}

/**
 * The ledger's id of what an operator calls an event: its UUID, the id as its producer wrote it (of `source` first, then
 * of any), or its place. Null where the ledger has none. USAGE where several sources use the id.
 */
export async function findInLedger(
  client: PoolClient,
  schema: string,
  { id, source }: { readonly id: string; readonly source: string },
): Promise<string | null> {
  const { eventId } = identityOfCloudEvent(id, source);
  if ((await readEvents(client, schema, [eventId])).has(eventId)) return eventId;
  const named = await findByCeId(client, schema, id);
  if (named.length > 1) {
    throw new UserEventsError('USAGE', `Several producers gave the id ${id} to an event`, {
      hint: `Trace one of them: ${named.join(', ')}.`,
      facts: { eventIds: named },
    });
  }
  const place = placeOf(id);
  return named[0] ?? (place === null ? null : findByPlace(client, schema, place));
}

export interface Search {
  readonly log: EventLog;
  readonly envelope: EnvelopeContext;
  /** Where this service stood before the ledger was asked: what lies before was decided on then. */
  readonly positions: readonly Position[];
  readonly signal: AbortSignal;
  /** Told how many records of how many were read. */
  readonly onProgress: (done: number, total: number) => void;
}

/**
 * Searches the log for an event that the ledger does not have: what this service has not read yet, then what lies before
 * its start. A place is read where it is. Null where there is none.
 */
export async function findInLog(id: string, search: Search): Promise<FoundRecord | null> {
  const watermarks = await search.log.watermarks();
  const place = placeOf(id);
  if (place !== null) {
    const isThere = watermarks.some(
      ({ partition, low, high }) =>
        partition === place.partition && low <= place.offset && place.offset < high,
    );
    const { partition, offset } = place;
    return isThere ? scan([{ partition, from: offset, to: offset + 1n }], null, search) : null;
  }
  const starts = new Map(search.positions.map((position) => [position.partition, position]));
  const unread = watermarks.map(({ partition, low, high }) => {
    const next = starts.get(partition)?.nextOffset ?? low;
    return { partition, from: next < low ? low : next, to: high };
  });
  const before = watermarks.map(({ partition, low, high }) => {
    const start = starts.get(partition)?.startOffset ?? low;
    return { partition, from: low, to: start > high ? high : start };
  });
  return (await scan(unread, id, search)) ?? (await scan(before, id, search));
}

async function scan(
  ranges: readonly Required<ReadRange>[],
  eventId: string | null,
  { log, envelope, signal, onProgress }: Search,
): Promise<FoundRecord | null> {
  const filled = ranges.filter(({ from, to }) => from < to);
  if (filled.length === 0) return null;
  const filter = eventId === null ? {} : { eventId };
  const total = Number(filled.reduce((sum, { from, to }) => sum + to - from, 0n));
  let done = 0;
  for await (const { records } of log.read(filled, { signal })) {
    for (const record of records) {
      if (!mayMatch(record, filter)) continue;
      const event = readEnvelope(record, envelope);
      if (isWanted(record, event, filter)) return { record, event };
    }
    done += records.length;
    onProgress(done, total);
  }
  return null;
}
