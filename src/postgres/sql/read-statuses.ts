import type { Status } from '../../domain/event.ts';
import { uuidArray } from '../binary-array.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';

/** What a ledger says of an event. */
export interface EventStatus {
  readonly status: Status;
  /** Of the closed list; null where nothing failed. */
  readonly errorCode: string | null;
}

interface StatusRow {
  readonly event_id: string;
  readonly status: Status;
  readonly error_code: string | null;
}

/**
 * The statuses of events by id, in one round trip for a batch. Events that are absent have not been decided here. Takes
 * no locks. A name makes it a prepared statement: planned once a connection.
 */
export async function readStatuses(
  db: Queryable,
  schema: string,
  eventIds: readonly string[],
): Promise<ReadonlyMap<string, EventStatus>> {
  const text = `select event_id, status, error_code from ${quoteIdentifier(schema)}.ledger where event_id = any ($1::uuid[])`;
  const values = [uuidArray(eventIds)];
  const { rows } = await db.query<StatusRow>({ name: 'user-events read-statuses', text, values });
  return new Map(rows.map((row) => [row.event_id, { status: row.status, errorCode: row.error_code }]));
}

/** Where an event lies in the log. */
export interface EventPlace {
  readonly partition: number;
  readonly offset: bigint;
}

/**
 * Where the ledger has seen an event: by its id, or by the id as its producer wrote it (`ce_id`, which has no index: a
 * scan of the ledger, still far shorter than one of the log). Null where it has not.
 */
export async function readEventPlace(db: Queryable, schema: string, id: string): Promise<EventPlace | null> {
  const isUuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id);
  const text = `select partition, "offset" from ${quoteIdentifier(schema)}.ledger
    where ${isUuid ? 'event_id = $1::uuid' : 'ce_id = $1'} order by generation desc limit 1`;
  return (await db.query<EventPlace>(text, [id])).rows[0] ?? null;
}
