import type { Status } from '../../domain/event.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';

/** An event that may be picked to be rolled back. */
export interface Candidate {
  readonly eventId: string;
  readonly userId: string;
  readonly operation: string;
  readonly status: Status;
  readonly code: string | null;
  readonly message: string | null;
  readonly constraint: string | null;
  readonly decidedAt: Date;
  /** How many events wait behind it. */
  readonly parked: number;
}

/** Of users whose ids begin with what was typed: rows of the ledger that are looked at, users, and events of each. */
const PREFIX_ROWS = 1000;
const PREFIX_USERS = 10;
const EVENTS_OF_EACH = 3;

/**
 * Events to pick from: the newest failed ones that have `term` in user, id, code, constraint or message, then the newest
 * events of the user `term`, then those whose ids begin with it, then of users whose ids do; failed ones alone for an empty term. Uses
 * `ledger_open`, `ledger_user` and the primary key. No locks.
 */
export async function findCandidates(
  db: Queryable,
  schema: string,
  term: string,
  limit: number,
): Promise<readonly Candidate[]> {
  const ledger = `${quoteIdentifier(schema)}.ledger`;
  const isOne = `l.user_id is not null and l.operation is not null`;
  const text = `with failed as (
      select l.event_id, 0 as rank from ${ledger} l where l.status = 'failed' and ${isOne} and ($1 = '' or
        strpos(lower(concat_ws(' ', l.user_id, l.event_id, l.error_code, l.error_detail->>'constraint', l.error_message)), lower($1)) > 0)
      order by l.decided_at desc limit $2),
    of_user as (
      select l.event_id, 1 as rank from ${ledger} l where l.user_id = $1 and ${isOne}
      order by l.generation desc, l."offset" desc limit $2),
    by_id as (
      select l.event_id, 2 as rank from ${ledger} l
      where l.event_id between $3::uuid and $4::uuid and ${isOne} limit $2),
    by_prefix as (
      select e.event_id, 3 as rank from (
        select distinct p.user_id from (
          select l.user_id from ${ledger} l where $1 <> '' and l.user_id > $1 order by l.user_id limit ${String(PREFIX_ROWS)}) p
        where starts_with(p.user_id, $1) order by 1 limit ${String(PREFIX_USERS)}) u
      cross join lateral (
        select l.event_id from ${ledger} l where l.user_id = u.user_id and ${isOne}
        order by l.generation desc, l."offset" desc limit ${String(EVENTS_OF_EACH)}) e),
    chosen as (select event_id, min(rank) as rank from
      (select * from failed union all select * from of_user union all select * from by_id union all select * from by_prefix)
      every group by 1)
    select l.event_id as "eventId", l.user_id as "userId", l.operation, l.status, l.error_code as code,
      l.error_message as message, l.error_detail->>'constraint' as constraint, l.decided_at as "decidedAt",
      (select count(*)::float8 from ${ledger} w where w.user_id = l.user_id and w.status = 'parked'
        and w.blocked_by = l.event_id) as parked
    from chosen c join ${ledger} l using (event_id) order by c.rank, l.decided_at desc, l."offset" desc limit $2`;
  const [from, to] = idRange(term);
  return (await db.query<Candidate>(text, [term, limit, from, to])).rows;
}

/** The ids that begin with a text, from and to; none where it cannot begin one. */
function idRange(term: string): readonly [string | null, string | null] {
  const digits = term.toLowerCase().replaceAll('-', '');
  if (!/^[0-9a-f]{4,32}$/.test(digits)) return [null, null];
  return [digits.padEnd(32, '0'), digits.padEnd(32, 'f')];
}
