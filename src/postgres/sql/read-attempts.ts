import type { Status } from '../../domain/event.ts';
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
