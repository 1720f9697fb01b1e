import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';

/** Failed and parked events of one partition. */
export interface OpenCounts {
  readonly partition: number;
  readonly failed: number;
  readonly parked: number;
}

/** Counts what is failed or parked, by partition; partitions with neither are absent. Uses `ledger_open`. No locks. */
export async function countOpen(db: Queryable, schema: string): Promise<readonly OpenCounts[]> {
  const text = `select partition, count(*) filter (where status = 'failed')::float8 as failed,
      count(*) filter (where status = 'parked')::float8 as parked
    from ${quoteIdentifier(schema)}.ledger where status in ('failed', 'parked') group by partition`;
  return (await db.query<OpenCounts>(text)).rows;
}
