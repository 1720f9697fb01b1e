import type { EventLog } from '../../src/log/event-log.ts';
import type { Pool, Queryable } from '../../src/postgres/pool.ts';
import { inTransaction } from '../../src/postgres/transaction.ts';

interface LedgerRow {
  readonly event_id: string;
  readonly generation: number;
  readonly partition: number;
  readonly offset: bigint;
  readonly user_id: string | null;
  readonly operation: string | null;
  readonly status: string;
  readonly data: Record<string, unknown> | null;
}

/** What the guarantees I1 to I4 of DESIGN 4 say of a database, as differences found: empty = they hold. */
export async function brokenGuarantees(
  pool: Pool,
  schema: string,
  columns: readonly string[],
): Promise<string[]> {
  // One snapshot: a statement whose client was killed may commit at any moment.
  return inTransaction(pool, 'repeatable read', (db) => findBroken(db, schema, columns));
}

async function findBroken(db: Queryable, schema: string, columns: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<LedgerRow>(
    `select event_id, generation, partition, "offset", user_id, operation, status, data from ${schema}.ledger
     order by generation, partition, "offset"`,
  );
  return [
    ...(await tableDiffers(db, rows, columns)),
    ...overtaken(rows),
    ...parkedForNothing(rows),
    ...(await offsetsMissing(db, schema, rows)),
  ];
}

/** I1: the users table is the fold of the applied events, in offset order, per user. */
async function tableDiffers(
  db: Queryable,
  ledger: readonly LedgerRow[],
  columns: readonly string[],
): Promise<string[]> {
  const expected = new Map<string, Record<string, unknown>>();
  for (const { user_id, operation, status, data } of ledger) {
    if (status !== 'applied' || user_id === null) continue;
    if (operation === 'delete') expected.delete(user_id);
    else if (operation !== 'rollback') expected.set(user_id, { ...expected.get(user_id), ...data });
  }
  const { rows } = await db.query<Record<string, unknown>>('select * from public.users');
  const found = new Map(rows.map((row) => [String(row['user_id']), row]));
  const differences: string[] = [];
  for (const userId of new Set([...expected.keys(), ...found.keys()])) {
    const [want, have] = [expected.get(userId), found.get(userId)];
    if (want === undefined || have === undefined) {
      differences.push(`I1: user ${userId} is ${have === undefined ? 'missing' : 'there without an event'}`);
    } else {
      const off = columns.filter((column) => (want[column] ?? null) !== (have[column] ?? null));
      if (off.length > 0) differences.push(`I1: user ${userId} differs in ${off.join(', ')}`);
    }
  }
  return differences;
}

/** I3: nothing is applied behind a failed or parked event of the same user. */
function overtaken(ledger: readonly LedgerRow[]): string[] {
  const blocked = new Set<string>();
  return ledger.flatMap(({ event_id, user_id, operation, status }) => {
    if (user_id === null) return [];
    if (status === 'failed' || status === 'parked') blocked.add(user_id);
    const isWrong = status === 'applied' && operation !== 'rollback' && blocked.has(user_id);
    return isWrong ? [`I3: ${event_id} of ${user_id} is applied behind a failed event`] : [];
  });
}

function parkedForNothing(ledger: readonly LedgerRow[]): string[] {
  const failed = new Set(ledger.filter(({ status }) => status === 'failed').map(({ user_id }) => user_id));
  return ledger
    .filter(({ status, user_id }) => status === 'parked' && !failed.has(user_id))
    .map(({ event_id }) => `${event_id} is parked and nothing holds it back`);
}

/**
 * I2, I4: every offset from the start to the position has its one row, or was a redelivery that was counted. An accepted
 * gap makes a new start, and where the log was made anew what is of earlier generations is of another log.
 */
async function offsetsMissing(
  db: Queryable,
  schema: string,
  ledger: readonly LedgerRow[],
): Promise<string[]> {
  const { rows } = await db.query<{
    partition: number;
    oldest: number;
    next_offset: bigint;
    start_offset: bigint;
    duplicates: bigint;
  }>(`select partition, next_offset, start_offset, duplicates, coalesce((select max(g.generation) from ${schema}.gap g
      where g.partition = p.partition and g.reason = 'LOG_REPLACED'), 0) as oldest from ${schema}.position p`);
  return rows.flatMap(({ partition, oldest, next_offset, start_offset, duplicates }) => {
    const offsets = ledger
      .filter((row) => row.partition === partition && row.generation >= oldest)
      .map(({ offset }) => offset)
      .filter((offset) => offset >= start_offset);
    const beyond = offsets.filter((offset) => offset >= next_offset).length;
    const expected = Number(next_offset - start_offset - duplicates);
    return beyond === 0 && offsets.length === expected
      ? []
      : [
          `I4: partition ${String(partition)} has ${String(offsets.length)} rows of ${String(expected)}, ${String(beyond)} beyond the position`,
        ];
  });
}

/** I5: what is committed to the log never exceeds the position. */
export async function committedBeyond(
  db: Queryable,
  schema: string,
  log: EventLog,
  group: string,
): Promise<string[]> {
  // The log first: a position that moves in between only makes the comparison easier to pass, never wrong.
  const committed = await log.committed(group);
  const { rows } = await db.query<{ partition: number; next_offset: bigint }>(
    `select partition, next_offset from ${schema}.position`,
  );
  const positions = new Map(rows.map(({ partition, next_offset }) => [partition, next_offset]));
  return [...committed]
    .filter(([partition, { offset }]) => offset > (positions.get(partition) ?? 0n))
    .map(
      ([partition, { offset }]) => `I5: ${String(offset)} is committed for partition ${String(partition)}`,
    );
}
