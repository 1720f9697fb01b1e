import type { Status } from '../../domain/event.ts';
import { uuidArray } from '../binary-array.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';
import type { AttemptCause } from './relabel.ts';

/** One later decision on an event: what `recordAttempts` wrote, and when. */
export interface AttemptRow extends AttemptCause {
  readonly at: Date;
  readonly status: Status;
  readonly code: string | null;
  readonly sqlState: string | null;
  readonly message: string | null;
}

export interface Attempts {
  /** All of them. */
  readonly count: number;
  /** The newest, oldest first. */
  readonly newest: readonly AttemptRow[];
}

/** The same of many events: the newest `limit` of each. Absent: none after the first. Uses `attempt_event`. No locks. */
export async function readAttemptsOfEach(
  db: Queryable,
  schema: string,
  eventIds: readonly string[],
  limit: number,
): Promise<ReadonlyMap<string, Attempts>> {
  const text = `select event_id as "eventId", at, cause, caused_by as "causedBy", operator, reason, status, error_code as code,
      sqlstate as "sqlState", error_message as message, count::float8 as count
    from (select *, count(*) over (partition by event_id) as count,
        row_number() over (partition by event_id order by attempt_id desc) as rank
      from ${quoteIdentifier(schema)}.attempt where event_id = any ($1::uuid[])) ranked
    where rank <= $2 order by attempt_id`;
  const { rows } = await db.query<AttemptRow & { eventId: string; count: number }>(text, [
    uuidArray(eventIds),
    limit,
  ]);
  const byEvent = new Map<string, Attempts>();
  for (const { eventId, count, ...row } of rows)
    byEvent.set(eventId, { count, newest: [...(byEvent.get(eventId)?.newest ?? []), row] });
  return byEvent;
}

/** The newest `limit` decisions on an event after its first. Uses the index `attempt_event`. No locks. */
export async function readAttempts(
  db: Queryable,
  schema: string,
  eventId: string,
  limit: number,
): Promise<Attempts> {
  const text = `select at, cause, caused_by as "causedBy", operator, reason, status, error_code as code, sqlstate as "sqlState",
      error_message as message, (count(*) over ())::float8 as count
    from ${quoteIdentifier(schema)}.attempt where event_id = $1::uuid order by attempt_id desc limit $2`;
  const { rows } = await db.query<AttemptRow & { count: number }>(text, [eventId, limit]);
  const newest = rows.map(({ count: _, ...row }) => row).reverse();
  return { count: rows[0]?.count ?? 0, newest };
}
