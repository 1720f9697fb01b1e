import { readEnvelope } from '../../domain/read-envelope.ts';
import type { KeyType } from '../../domain/users-table.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { LedgerEvent } from '../../postgres/sql/read-event.ts';
import type { Database } from '../../postgres/transaction.ts';
import { requireBoundTopic } from '../bound-topic.ts';
import { envelopeContext, type TypeSettings } from '../envelope-context.ts';
import { placeName, readPlaces } from '../log/read-places.ts';

/** What of the log is looked at besides; null: the log is not configured. */
export interface AheadOfUser {
  readonly openLog: () => Promise<EventLog>;
  readonly types: TypeSettings;
  readonly signal: AbortSignal;
}

/** Of so many events, the newest, the records are read: a hundred places 600 offsets apart take 0.4 s. */
const MOST_READ = 100;

/**
 * Who published events, by event id: `ce_source` of their records. Absent where the log no longer has the record, has
 * another one there, or cannot be read: the ledger's part stands without it.
 */
export async function readSources(
  database: Database,
  { openLog, types }: AheadOfUser,
  events: readonly LedgerEvent[],
  keyType: KeyType,
): Promise<ReadonlyMap<string, string>> {
  const newest = events.slice(-MOST_READ);
  if (newest.length === 0) return new Map();
  try {
    const log = await openLog();
    const description = await log.describe();
    await requireBoundTopic(database, description.topic);
    const envelope = envelopeContext(description, keyType, types);
    const records = await readPlaces(log, newest);
    return new Map(
      newest.flatMap((event): [string, string][] => {
        const record = records.get(placeName(event));
        if (record?.timestamp !== event.timestamp) return [];
        const { source } = readEnvelope(record, envelope);
        return source === null ? [] : [[event.eventId, source]];
      }),
    );
  } catch (error) {
    if (!(error instanceof UserEventsError) || error.code === 'INTERRUPTED') throw error;
    return new Map();
  }
}
