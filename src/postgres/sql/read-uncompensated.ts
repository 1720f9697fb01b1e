import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';

/** A failed event that `--on-failure rollback` has to compensate. */
export interface Uncompensated {
  readonly eventId: string;
  readonly userId: string;
  readonly partition: number;
}

/** Failed events (not rollbacks) of partitions, with a user. Uses the partial index `ledger_open`. No locks. */
export async function readUncompensated(
  db: Queryable,
  schema: string,
  partitions: readonly number[],
): Promise<readonly Uncompensated[]> {
  const text = `select event_id as "eventId", user_id as "userId", partition from ${quoteIdentifier(schema)}.ledger
    where status = 'failed' and user_id is not null and operation is distinct from 'rollback' and partition = any ($1::int[])
    order by generation, "offset"`;
  return (await db.query<Uncompensated>(text, [partitions])).rows;
}
