import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';

/** A row of the ledger that contradicts the others (guarantee I3, DESIGN 4), whatever the users table says. */
export interface Contradiction {
  readonly userId: string | null;
  readonly eventId: string;
  readonly problem: 'overtaken' | 'parked for nothing' | 'failed without a reason' | 'skipped by nobody';
}

/** Looks at open users by the index `ledger_open`, and for what was skipped over the whole ledger. No locks. */
export async function checkLedger(db: Queryable, schema: string): Promise<readonly Contradiction[]> {
  const ledger = `${quoteIdentifier(schema)}.ledger`;
  const text = `with open as (
      select user_id, event_id, generation, "offset", operation, status, error_code from ${ledger} where status in ('failed', 'parked')),
    first as (
      select distinct on (user_id) user_id, generation, "offset" from open
      where user_id is not null and operation is distinct from 'rollback' order by user_id, generation, "offset")
    select l.user_id as "userId", l.event_id as "eventId", 'overtaken' as problem
      from first f join ${ledger} l on l.user_id = f.user_id and (l.generation, l."offset") > (f.generation, f."offset")
      where l.status = 'applied' and l.operation <> 'rollback'
    union all
    select p.user_id, p.event_id, 'parked for nothing' from open p where p.status = 'parked'
      and not exists (select from open f where f.user_id = p.user_id and f.status = 'failed')
    union all
    select user_id, event_id, 'failed without a reason' from open where status = 'failed' and error_code is null
    union all
    select l.user_id, l.event_id, 'skipped by nobody' from ${ledger} l where l.status = 'skipped' and l.operation is not null
      and not exists (select from ${quoteIdentifier(schema)}.attempt a where a.event_id = l.event_id and a.cause = 'skip')`;
  return (await db.query<Contradiction>(text)).rows;
}
