import type { Status } from '../../domain/event.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';

/** The newest entry of a user's history, and how many of them are open, or hold something yet. */
export interface LastEntry {
  readonly eventId: string;
  readonly status: Status;
  readonly generation: number;
  readonly offset: bigint;
  /** Failed and parked events of the user. */
  readonly open: number;
  /** Events that hold data, bytes, an image or an error's words. */
  readonly kept: number;
}

/** Null: the ledger has no event of the user. Uses `ledger_user`; no locks. */
export async function readLastEntry(
  db: Queryable,
  schema: string,
  userId: string,
): Promise<LastEntry | null> {
  const text = `select event_id as "eventId", status, generation, "offset",
      (count(*) filter (where status in ('failed', 'parked')) over ())::int as open,
      (count(*) filter (where data is not null or raw is not null or before is not null or error_message is not null) over ())::int
        as kept
    from ${quoteIdentifier(schema)}.ledger where user_id = $1 order by generation desc, "offset" desc limit 1`;
  return (await db.query<LastEntry>(text, [userId])).rows[0] ?? null;
}

/** Where a user's records lie in the log as it is now (see read-span), in order. */
export async function readOffsets(
  db: Queryable,
  schema: string,
  userId: string,
): Promise<readonly { readonly partition: number; readonly offset: bigint }[]> {
  const name = quoteIdentifier(schema);
  const text = `select partition, "offset" from ${name}.ledger l where user_id = $1 and generation >= (
      select coalesce(max(g.generation), 0) from ${name}.gap g where g.partition = l.partition and g.reason = 'LOG_REPLACED')
    order by partition, "offset"`;
  return (await db.query<{ partition: number; offset: bigint }>(text, [userId])).rows;
}
