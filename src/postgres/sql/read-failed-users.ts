import { inDecisionOrder, type ExistingEntry } from '../../domain/history.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';
import { CONDITIONS, parametersOf, type FailureFilter } from './read-failures.ts';
import { OPERATION, toExisting, type ExistenceRow } from './read-history.ts';

/** A user with failed events that are wanted. */
export interface FailedUser {
  readonly userId: string;
  /** The wanted ones among the history. */
  readonly rows: readonly ExistingEntry[];
  readonly history: readonly ExistingEntry[];
}

interface Row extends ExistenceRow {
  readonly is_wanted: boolean | null;
}

interface Collected {
  readonly userId: string;
  readonly rows: ExistingEntry[];
  readonly entries: ExistingEntry[];
}

/** A failed rollback is retried or skipped, not rolled back; an event without a user had no effect. */
const IS_TO_BE_ROLLED_BACK = `${CONDITIONS} and operation is distinct from 'rollback' and user_id is not null`;

/**
 * Users with failed events that are wanted, `limit` of them behind the user `after` in the database's order, and their
 * histories by existence: a bulk reads both at once. Uses the indexes `ledger_open` and `ledger_user`. No locks.
 * In a transaction of its own, of which it turns sorting off: without statistics each portion would sort all that is open.
 */
export async function readFailedUsers(
  client: Queryable,
  schema: string,
  filter: FailureFilter,
  after: string | null,
  limit: number,
): Promise<readonly FailedUser[]> {
  const ledger = `${quoteIdentifier(schema)}.ledger`;
  const text = `select l.* from (
      select distinct user_id from ${ledger} l where ${IS_TO_BE_ROLLED_BACK} and ($10::text is null or user_id > $10)
      order by user_id limit $11) chosen cross join lateral (
      select user_id, event_id, partition, withdraws, ${OPERATION}, (${IS_TO_BE_ROLLED_BACK}) as is_wanted
      from ${ledger} l where user_id = chosen.user_id order by generation, "offset" offset 0) l
    order by chosen.user_id`;
  await client.query('set local enable_sort = off');
  const { rows } = await client.query<Row>(text, [...parametersOf(filter), after, limit]);
  const users: Collected[] = [];
  let user: Collected | undefined;
  for (const row of rows) {
    if (user?.userId !== row.user_id) users.push((user = { userId: row.user_id, rows: [], entries: [] }));
    const entry = toExisting(row);
    user.entries.push(entry);
    if (row.is_wanted === true) user.rows.push(entry);
  }
  return users.map(({ userId, rows: failed, entries }) => ({
    userId,
    rows: failed,
    history: inDecisionOrder(entries),
  }));
}

/** How many users there are with failed events that are wanted; `most`: no more are counted. Uses `ledger_open`. No locks. */
export async function countFailedUsers(
  db: Queryable,
  schema: string,
  filter: FailureFilter,
  most: number | null,
): Promise<number> {
  const text = `select count(*)::float8 as users from (select distinct user_id
    from ${quoteIdentifier(schema)}.ledger l where ${IS_TO_BE_ROLLED_BACK} limit $10) as failed`;
  const { rows } = await db.query<{ users: number }>(text, [...parametersOf(filter), most]);
  return rows[0]?.users ?? 0;
}
