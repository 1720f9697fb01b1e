import { inDecisionOrder, type ExistingEntry } from '../../domain/history.ts';
import { int8Array } from '../binary-array.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';
import type { Position } from './positions.ts';
import { CONDITIONS, parametersOf, type FailureFilter } from './read-failures.ts';
import { OPERATION, toExisting, type ExistenceRow } from './read-history.ts';

/** Failed events of a bulk. */
export interface BulkFilter {
  readonly filter: FailureFilter;
  /** What lies behind these positions was executed since, and is not wanted: the bulk would grow while it is worked on. */
  readonly upTo: readonly Position[];
}

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
const IS_TO_BE_ROLLED_BACK = `${CONDITIONS} and operation is distinct from 'rollback' and user_id is not null
  and coalesce(generation < ($11::int8[])[partition + 1] or "offset" < ($10::int8[])[partition + 1], true)`;

/**
 * Users with failed events that are wanted, `limit` of them behind the user `after` in the database's order, and their
 * histories by existence: a bulk reads both at once. Uses the indexes `ledger_open` and `ledger_user`. No locks.
 * In a transaction of its own, of which it turns sorting off: without statistics each portion would sort all that is open.
 */
export async function readFailedUsers(
  client: Queryable,
  schema: string,
  bulk: BulkFilter,
  after: string | null,
  limit: number,
): Promise<readonly FailedUser[]> {
  const ledger = `${quoteIdentifier(schema)}.ledger`;
  const text = `select l.* from (
      select distinct user_id from ${ledger} l where ${IS_TO_BE_ROLLED_BACK} and ($12::text is null or user_id > $12)
      order by user_id limit $13) chosen cross join lateral (
      select user_id, event_id, partition, withdraws, ${OPERATION}, (${IS_TO_BE_ROLLED_BACK}) as is_wanted
      from ${ledger} l where user_id = chosen.user_id order by generation, "offset" offset 0) l
    order by chosen.user_id`;
  await client.query('set local enable_sort = off');
  const { rows } = await client.query<Row>(text, [...bulkParametersOf(bulk), after, limit]);
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
  bulk: BulkFilter,
  most: number | null,
): Promise<number> {
  const text = `select count(*)::float8 as users from (select distinct user_id
    from ${quoteIdentifier(schema)}.ledger l where ${IS_TO_BE_ROLLED_BACK} limit $12) as failed`;
  const { rows } = await db.query<{ users: number }>(text, [...bulkParametersOf(bulk), most]);
  return rows[0]?.users ?? 0;
}

/** Of `IS_TO_BE_ROLLED_BACK`: the positions as arrays by partition. */
function bulkParametersOf({ filter, upTo }: BulkFilter): unknown[] {
  const byPartition = new Map(upTo.map((position) => [position.partition, position]));
  const partitions = Array.from({ length: Math.max(0, ...byPartition.keys()) + 1 }, (_, at) =>
    byPartition.get(at),
  );
  return [
    ...parametersOf(filter),
    int8Array(partitions.map((position) => position?.nextOffset ?? null)),
    int8Array(partitions.map((position) => (position === undefined ? null : BigInt(position.generation)))),
  ];
}
