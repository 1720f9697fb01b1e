import type { EventError } from '../../domain/column-values.ts';
import type { EventErrorCode } from '../../errors/codes.ts';
import type { JsonObject, Operation, Status } from '../../domain/event.ts';
import { inDecisionOrder, type ExistingEntry, type HistoryEntry } from '../../domain/history.ts';
import { textArray } from '../binary-array.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';

/** A row of what decisions look at. */
export interface ExistenceRow {
  readonly user_id: string;
  readonly event_id: string;
  readonly partition: number;
  readonly operation: Operation | null;
  readonly withdraws: string[] | null;
}

interface DecisionRow extends ExistenceRow {
  readonly status: Status;
  readonly blocked_by: string | null;
}

interface HistoryRow extends DecisionRow {
  readonly offset: bigint;
  readonly published_ms: number;
  readonly data: JsonObject | null;
  readonly before_exists: boolean | null;
  readonly has_image: boolean;
  readonly error_code: EventErrorCode | null;
  readonly error_message: string | null;
  readonly sqlstate: string | null;
  readonly error_detail: JsonObject | null;
}

/**
 * The histories of users, each by (generation, offset). An event whose id was another's counts as unreadable: its
 * operation comes as null. A tombstone's fields come as {}. Uses the index `ledger_user`. No locks.
 */
export async function readHistories(
  db: Queryable,
  schema: string,
  userIds: readonly string[],
): Promise<ReadonlyMap<string, readonly HistoryEntry[]>> {
  // The error as its columns: made into JSON by the server it took as long as all the rest.
  const columns = `status, "offset", date_part('epoch', published_at) * 1000 as published_ms,
    case when operation is distinct from 'rollback' then data end as data,
    before_exists, (before_exists is true and before is not null) as has_image, blocked_by,
    error_code, error_message, sqlstate, error_detail`;
  const rows = await readRows<HistoryRow>(db, schema, userIds, [columns]);
  return historiesOf(userIds, rows, toEntry);
}

/** The same for what every service would decide: existence alone. */
export async function readExistence(
  db: Queryable,
  schema: string,
  userIds: readonly string[],
): Promise<ReadonlyMap<string, readonly ExistingEntry[]>> {
  const rows = await readRows<ExistenceRow>(db, schema, userIds, []);
  return historiesOf(userIds, rows, toExisting);
}

/**
 * The same for a decision and what it makes of statuses: all that is looked at is there. Times, offsets, fields, images and errors are not read, and
 * come as 0 and null: of a bulk that is half the way. Never to be executed from.
 */
export async function readHistoriesToDecide(
  db: Queryable,
  schema: string,
  userIds: readonly string[],
): Promise<ReadonlyMap<string, readonly HistoryEntry[]>> {
  const rows = await readRows<DecisionRow>(db, schema, userIds, ['status', 'blocked_by']);
  return historiesOf(userIds, rows, (row) => ({
    eventId: row.event_id,
    partition: row.partition,
    offset: 0n,
    timestamp: 0,
    operation: row.operation,
    status: row.status,
    fields: null,
    withdraws: row.withdraws,
    beforeExists: null,
    hasImage: false,
    blockedBy: row.blocked_by,
    error: null,
  }));
}

/** An event whose id was another's counts as unreadable. */
export const OPERATION = `case when error_code is distinct from 'EVENT_ID_REUSED' then operation end as operation`;

/**
 * Each user by the index, whatever the planner thinks of a list (`offset 0` keeps it from being taken apart): of a ledger
 * without statistics it read all of it for 500 users. Not ordered by user: nobody asks, and texts take long to compare.
 */
async function readRows<Row extends ExistenceRow>(
  db: Queryable,
  schema: string,
  userIds: readonly string[],
  columns: readonly string[],
): Promise<readonly Row[]> {
  const text = `select l.* from unnest($1::text[]) as asked(id) cross join lateral (
      select ${['user_id, event_id, partition, withdraws', OPERATION, ...columns].join(', ')}
      from ${quoteIdentifier(schema)}.ledger where user_id = asked.id order by generation, "offset" offset 0) l`;
  return (await db.query<Row>(text, [textArray([...new Set(userIds)])])).rows;
}

function historiesOf<Row extends ExistenceRow, Entry extends ExistingEntry>(
  userIds: readonly string[],
  rows: readonly Row[],
  toEntry: (row: Row) => Entry,
): ReadonlyMap<string, readonly Entry[]> {
  const histories = new Map<string, readonly Entry[]>(userIds.map((userId) => [userId, []]));
  let ofUser: string | null = null;
  let own: Entry[] = [];
  for (const row of rows) {
    // One user's rows come together.
    if (ofUser !== row.user_id) {
      ofUser = row.user_id;
      own = [];
      histories.set(ofUser, own);
    }
    own.push(toEntry(row));
  }
  for (const [userId, entries] of histories) {
    const inOrder = inDecisionOrder(entries);
    if (inOrder !== entries) histories.set(userId, inOrder);
  }
  return histories;
}

/** How much the events of users carry, bytes of JSON text; none: 0. Uses the index `ledger_user`. No locks. */
export async function historyBytes(
  db: Queryable,
  schema: string,
  userIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const text = `select asked.id, l.bytes from unnest($1::text[]) as asked(id) cross join lateral (
      select coalesce(sum(octet_length(data::text)), 0)::float8 as bytes
      from ${quoteIdentifier(schema)}.ledger where user_id = asked.id offset 0) l`;
  const { rows } = await db.query<{ id: string; bytes: number }>(text, [textArray(userIds)]);
  return new Map(rows.map(({ id, bytes }) => [id, bytes]));
}

/** What a decision looks at, of a row. */
export function toExisting({
  event_id: eventId,
  partition,
  operation,
  withdraws,
}: ExistenceRow): ExistingEntry {
  return { eventId, partition, operation, withdraws };
}

function toEntry(row: HistoryRow): HistoryEntry {
  return {
    eventId: row.event_id,
    partition: row.partition,
    offset: row.offset,
    timestamp: Math.round(row.published_ms),
    operation: row.operation,
    status: row.status,
    fields: fieldsOf(row),
    withdraws: row.withdraws,
    beforeExists: row.before_exists,
    hasImage: row.has_image,
    blockedBy: row.blocked_by,
    error: errorOf(row),
  };
}

function errorOf({ error_code: code, error_message: message, sqlstate, error_detail: detail }: HistoryRow) {
  if (code === null) return null;
  const error: EventError = {
    code,
    message: message ?? '',
    ...(sqlstate === null ? {} : { sqlState: sqlstate }),
    ...(detail === null ? {} : { detail }),
  };
  return error;
}

function fieldsOf(row: HistoryRow): JsonObject | null {
  if (row.operation === 'delete') return {};
  if (row.data === null) return null;
  const { userId: _, ...fields } = row.data;
  return fields;
}
