import type { EventError } from '../../domain/column-values.ts';
import type { JsonObject, Operation, Status } from '../../domain/event.ts';
import type { UsersTable } from '../../domain/users-table.ts';
import { textArray, uuidArray } from '../binary-array.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';
import type { EventPlace } from './read-statuses.ts';

/** One event, with all that the ledger has of it. */
export interface LedgerEvent extends EventPlace {
  readonly eventId: string;
  /** The id as the producer wrote it, where it is not the UUID itself. */
  readonly ceId: string | null;
  readonly generation: number;
  readonly userId: string | null;
  /** Null where the record cannot be read or is ignored. */
  readonly operation: Operation | null;
  readonly status: Status;
  /** When it was published: ms since the epoch. */
  readonly timestamp: number;
  readonly decidedAt: Date;
  readonly attempts: number;
  /** Its value; null for a tombstone, and where it was pruned or cannot be read. */
  readonly data: JsonObject | null;
  /** The value's bytes, where they are no JSON that can be kept. */
  readonly raw: Buffer | null;
  readonly blockedBy: string | null;
  /** What an accepted rollback withdraws; null for all else. */
  readonly withdraws: readonly string[] | null;
  readonly error: EventError | null;
}

const COLUMNS = `event_id as "eventId", ce_id as "ceId", generation, partition, "offset", user_id as "userId", operation,
  status, (extract(epoch from published_at) * 1000)::float8 as timestamp, decided_at as "decidedAt", attempts, data, raw,
  blocked_by as "blockedBy", withdraws, case when error_code is not null then json_strip_nulls(json_build_object(
    'code', error_code, 'message', error_message, 'sqlState', sqlstate, 'detail', error_detail)) end as error`;

/** Reads events by id; unknown ones are absent. Uses the primary key. No locks. */
export async function readEvents(
  db: Queryable,
  schema: string,
  eventIds: readonly string[],
): Promise<ReadonlyMap<string, LedgerEvent>> {
  const text = `select ${COLUMNS} from ${quoteIdentifier(schema)}.ledger where event_id = any ($1::uuid[])`;
  const { rows } = await db.query<LedgerEvent>(text, [uuidArray(eventIds)]);
  return new Map(rows.map((row) => [row.eventId, rounded(row)]));
}

/** The newest `limit` events of a user, in the order of the ledger. Uses the index `ledger_user`. No locks. */
export async function readUserEvents(
  db: Queryable,
  schema: string,
  userId: string,
  limit: number,
): Promise<readonly LedgerEvent[]> {
  const text = `select ${COLUMNS} from ${quoteIdentifier(schema)}.ledger where user_id = $1
    order by generation desc, "offset" desc limit $2`;
  return (await db.query<LedgerEvent>(text, [userId, limit])).rows.map(rounded).reverse();
}

/** How many events of a user have which status. Uses the index `ledger_user`. No locks. */
export async function countUserEvents(
  db: Queryable,
  schema: string,
  userId: string,
): Promise<Partial<Record<Status, number>>> {
  const text = `select status, count(*)::float8 as events from ${quoteIdentifier(schema)}.ledger where user_id = $1 group by status`;
  const { rows } = await db.query<{ status: Status; events: number }>(text, [userId]);
  const counts: Partial<Record<Status, number>> = {};
  for (const { status, events } of rows) counts[status] = events;
  return counts;
}

/** Times before 1970 and fractions of a millisecond come out of float8 a little off. */
function rounded(row: LedgerEvent): LedgerEvent {
  return { ...row, timestamp: Math.round(row.timestamp) };
}

/**
 * The events that have the id `ceId` as their producer wrote it: several where several sources use it, ten at the most.
 * The column has no index: a scan of the ledger. No locks.
 */
export async function findByCeId(db: Queryable, schema: string, ceId: string): Promise<readonly string[]> {
  const text = `select event_id as "eventId" from ${quoteIdentifier(schema)}.ledger where ce_id = $1 order by published_at limit 10`;
  return (await db.query<{ eventId: string }>(text, [ceId])).rows.map(({ eventId }) => eventId);
}

/** The newest event that was read at a place; null where none was. Uses the index `ledger_offset`. No locks. */
export async function findByPlace(
  db: Queryable,
  schema: string,
  { partition, offset }: EventPlace,
): Promise<string | null> {
  const name = quoteIdentifier(schema);
  const text = `select event_id as "eventId" from ${name}.ledger where partition = $1 and "offset" = $2
      and generation = any (array(select generate_series(0, coalesce((select max(generation) from ${name}.position), 0))))
    order by generation desc limit 1`;
  return (await db.query<{ eventId: string }>(text, [partition, offset])).rows[0]?.eventId ?? null;
}

/** Column → its value as JSON text, all digits kept. */
export type RowTexts = Readonly<Record<string, string>>;

/** The before images of events that have one, by event id. Uses the primary key. No locks. */
export async function readImages(
  db: Queryable,
  schema: string,
  eventIds: readonly string[],
): Promise<ReadonlyMap<string, RowTexts>> {
  const text = `select l.event_id as "eventId", (select json_object_agg(i.key, i.value::text) from json_each(l.before) i) as image
    from ${quoteIdentifier(schema)}.ledger l where l.event_id = any ($1::uuid[]) and l.before is not null`;
  const { rows } = await db.query<{ eventId: string; image: RowTexts }>(text, [uuidArray(eventIds)]);
  return new Map(rows.map(({ eventId, image }) => [eventId, image]));
}

/** One user's row as it is now; null where there is none. No locks. */
export async function readRowTexts(
  db: Queryable,
  table: UsersTable,
  userId: string,
): Promise<RowTexts | null> {
  const key = quoteIdentifier(table.keyColumn);
  const text = `select (select json_object_agg(i.key, i.value::text) from json_each(row_to_json(t)) i) as row
    from ${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)} t where t.${key} = any ($1::text[]::${table.keyType}[])`;
  return (await db.query<{ row: RowTexts }>(text, [textArray([userId])])).rows[0]?.row ?? null;
}
