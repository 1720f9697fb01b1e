import { UserEventsError } from '../../errors/user-events-error.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Database } from '../../postgres/transaction.ts';
import { readPositions } from '../../postgres/sql/positions.ts';
import { outcomeOf, type Ours } from '../../postgres/sql/outcome.ts';
import type { Patience } from './patience.ts';

/**
 * The high watermarks now, by partition; partitions with nothing to read are left out. LOG_REPLACED where a position lies
 * beyond them: that log is another one, and its end would seem to be reached (unless the gap is accepted). A database that
 * is away is waited for: StoppedError when the consumer is to stop meanwhile.
 */
export async function readEnds(
  log: EventLog,
  { pool, schema }: Database,
  patience: Patience,
  isGapAccepted: boolean,
): Promise<ReadonlyMap<number, bigint>> {
  // Positions first: what is decided in between can then not seem to lie beyond the end.
  const read = await patience.run(() => readPositions(pool, schema));
  const positions = new Map(read.map((each) => [each.partition, each.nextOffset]));
  const ends = new Map<number, bigint>();
  for (const { partition, low, high } of await log.watermarks()) {
    const position = positions.get(partition) ?? 0n;
    if (position > high && !isGapAccepted) {
      const message = `Partition ${String(partition)} ends at ${String(high)}, and this group has read up to ${String(position)}`;
      throw new UserEventsError('LOG_REPLACED', message);
    }
    if (high > low) ends.set(partition, high);
  }
  return ends;
}

/** Whether every partition is executed up to `ends`: `own` are this member's positions, the rest is asked of the database. */
export async function endsReached(
  database: Database,
  ours: Ours,
  own: ReadonlyMap<number, bigint>,
  ends: ReadonlyMap<number, bigint>,
): Promise<boolean> {
  const open = [...ends].filter(([partition, end]) => (own.get(partition) ?? 0n) < end);
  if (open.length === 0) return true;
  if (open.every(([partition]) => own.has(partition))) return false;
  const outcome = await outcomeOf(ours, () => readPositions(database.pool, database.schema));
  if (outcome.kind !== 'done') return false;
  const positions = new Map(outcome.value.map(({ partition, nextOffset }) => [partition, nextOffset]));
  return open.every(([partition, end]) => (positions.get(partition) ?? 0n) >= end);
}
