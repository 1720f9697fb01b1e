import type { EventError } from '../../domain/column-values.ts';
import type { EventErrorCode } from '../../errors/codes.ts';
import type { JsonObject, Operation, Status } from '../../domain/event.ts';
import { inDecisionOrder, type HistoryEntry } from '../../domain/history.ts';
import { textArray } from '../binary-array.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';

interface HistoryRow {
  readonly user_id: string;
  readonly event_id: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly published_ms: number;
  readonly operation: Operation | null;
  readonly status: Status;
  readonly data: JsonObject | null;
  readonly withdraws: string[] | null;
  readonly before_exists: boolean | null;
  readonly has_image: boolean;
  readonly blocked_by: string | null;
  readonly error_code: EventErrorCode | null;
  readonly error_message: string | null;
  readonly sqlstate: string | null;
  readonly error_detail: JsonObject | null;
}

/**
 * The histories of users, each by (generation, offset). An event whose id was another's counts as unreadable: its
 * operation comes as null. A tombstone's fields come as {}. Uses the index `ledger_user`. No locks. For a decision alone
 * existence counts: then neither fields nor errors are read, which is most of the way of a bulk.
 */
export async function readHistories(
  db: Queryable,
  schema: string,
  userIds: readonly string[],
  purpose: 'execute' | 'decide' = 'execute',
): Promise<ReadonlyMap<string, readonly HistoryEntry[]>> {
  const isForDecision = purpose === 'decide';
  // The error as its columns: made into JSON by the server it took as long as all the rest. Not ordered by user: nobody
  // asks, and texts take long to compare. Each user by the index, whatever the planner thinks of a list (`offset 0` keeps
  // it from being taken apart): of a ledger without statistics it read all of it for 500 users.
  const text = `select l.* from unnest($1::text[]) as asked(id) cross join lateral (
      select user_id, event_id, generation, partition, "offset", date_part('epoch', published_at) * 1000 as published_ms,
        case when error_code is distinct from 'EVENT_ID_REUSED' then operation end as operation, status, withdraws,
        ${isForDecision ? 'null' : `case when operation is distinct from 'rollback' then data end`} as data,
        before_exists, (before_exists is true and before is not null) as has_image, blocked_by,
        ${isForDecision ? 'null as error_code' : 'error_code, error_message, sqlstate, error_detail'}
      from ${quoteIdentifier(schema)}.ledger where user_id = asked.id offset 0) l
    order by l.generation, l."offset"`;
  const { rows } = await db.query<HistoryRow>(text, [textArray(userIds)]);
  const histories = new Map<string, HistoryEntry[]>(userIds.map((userId) => [userId, []]));
  for (const row of rows) histories.get(row.user_id)?.push(toEntry(row));
  return new Map([...histories].map(([userId, entries]) => [userId, inDecisionOrder(entries)]));
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
