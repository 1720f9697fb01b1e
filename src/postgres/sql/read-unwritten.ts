import { uuidArray } from '../binary-array.ts';
import { quoteIdentifier, type Queryable } from '../pool.ts';

/** A failed event that has no dead letter yet. */
export interface UnwrittenLetter {
  readonly eventId: string;
  readonly userId: string | null;
  readonly partition: number;
  readonly offset: bigint;
  /** ms since the epoch. */
  readonly timestamp: number;
  readonly code: string;
  readonly sqlState: string | null;
  readonly message: string;
  /** The value as the ledger kept it, for a record that the log has no longer. */
  readonly value: Buffer | null;
}

/**
 * Failed events of partitions whose dead letter is still to be written, in log order, at most `limit`. Uses the partial
 * index `ledger_dead_letters`. No locks.
 */
export async function readUnwritten(
  db: Queryable,
  schema: string,
  partitions: readonly number[],
  limit: number,
): Promise<readonly UnwrittenLetter[]> {
  const text = `select event_id as "eventId", user_id as "userId", partition, "offset",
      round(extract(epoch from published_at) * 1000)::float8 as timestamp, error_code as code, sqlstate as "sqlState",
      error_message as message, coalesce(raw, convert_to(data::text, 'UTF8')) as value
    from ${quoteIdentifier(schema)}.ledger
    where status = 'failed' and dead_lettered_at is null and partition = any ($1::int[])
    order by generation, partition, "offset" limit $2`;
  return (await db.query<UnwrittenLetter>(text, [partitions, limit])).rows;
}

/** Notes that dead letters were written. One row each; safe to repeat. Facts and statuses stay, so no revision is raised. */
export async function markWritten(db: Queryable, schema: string, eventIds: readonly string[]): Promise<void> {
  const text = `update ${quoteIdentifier(schema)}.ledger set dead_lettered_at = now() where event_id = any ($1::uuid[])`;
  await db.query(text, [uuidArray(eventIds)]);
}
