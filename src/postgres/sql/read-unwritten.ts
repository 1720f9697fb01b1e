import { uuidArray } from '../binary-array.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';

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
  /** False: it was executed from the topic that this one replaced, and what lies at its offset now is another record. */
  readonly isOfThisLog: boolean;
}

/** How many letters are read at once, and how many bytes of values: the one that reaches them is the last. */
export interface Portion {
  readonly letters: number;
  readonly bytes: number;
}

/**
 * Failed events of partitions whose dead letter is still to be written, in log order, a portion of them. Uses the partial
 * index `ledger_dead_letters`. No locks.
 */
export async function readUnwritten(
  db: Queryable,
  schema: string,
  partitions: readonly number[],
  portion: Portion,
): Promise<readonly UnwrittenLetter[]> {
  const name = quoteIdentifier(schema);
  // Values are read of what is in the portion alone.
  const text = `with due as (
      select event_id, generation, partition, "offset", coalesce(octet_length(raw), octet_length(data::text), 0) as bytes
      from ${name}.ledger
      where status = 'failed' and dead_lettered_at is null and partition = any ($1::int[])
      order by generation, partition, "offset" limit $2),
    summed as (select event_id, sum(bytes) over (order by generation, partition, "offset") - bytes as bytes_before from due)
    select event_id as "eventId", user_id as "userId", l.partition, "offset",
      round(extract(epoch from published_at) * 1000)::float8 as timestamp, error_code as code, sqlstate as "sqlState",
      error_message as message, coalesce(raw, convert_to(data::text, 'UTF8')) as value,
      generation >= (select coalesce(max(g.generation), 0) from ${name}.gap g
        where g.partition = l.partition and g.reason = 'LOG_REPLACED') as "isOfThisLog"
    from summed join ${name}.ledger l using (event_id)
    where bytes_before < $3 order by generation, l.partition, "offset"`;
  return (await db.query<UnwrittenLetter>(text, [partitions, portion.letters, portion.bytes])).rows;
}

/** Notes that dead letters were written. One row each; safe to repeat. Facts and statuses stay, so no revision is raised. */
export async function markWritten(db: Queryable, schema: string, eventIds: readonly string[]): Promise<void> {
  const text = `update ${quoteIdentifier(schema)}.ledger set dead_lettered_at = now() where event_id = any ($1::uuid[])`;
  await db.query(text, [uuidArray(eventIds)]);
}
