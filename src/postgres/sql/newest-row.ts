import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';
import { nextGeneration } from './bind-group.ts';

/** The newest event that the ledger has of a partition, to be compared with what the log has there. */
export interface NewestRow {
  readonly partition: number;
  readonly offset: bigint;
  readonly eventId: string;
  /** ms since the epoch. */
  readonly timestamp: number;
}

/** Reads the newest ledger row of each partition's present generation. Uses the index `ledger_offset`. No locks. */
export async function readNewestRows(
  db: Queryable,
  schema: string,
  partitions: readonly number[],
): Promise<readonly NewestRow[]> {
  const name = quoteIdentifier(schema);
  const text = `select p.partition, l."offset", l.event_id as "eventId",
      (extract(epoch from l.published_at) * 1000)::float8 as timestamp
    from ${name}.position p cross join lateral (
      select * from ${name}.ledger l where l.generation = p.generation and l.partition = p.partition
      order by l."offset" desc limit 1) l
    where p.partition = any ($1::int[])`;
  const { rows } = await db.query<NewestRow>(text, [partitions]);
  return rows.map((row) => ({ ...row, timestamp: Math.round(row.timestamp) }));
}

/** Moves a position over what will never be decided on, in a new generation where the log was made anew. Three rows. */
export async function acceptGap(
  db: Queryable,
  schema: string,
  gap: {
    readonly partition: number;
    readonly from: bigint;
    readonly to: bigint;
    readonly reason: 'LOG_TRUNCATED' | 'LOG_REPLACED';
    readonly operator: string;
  },
): Promise<void> {
  const name = quoteIdentifier(schema);
  const text = `with raised as (
      update ${name}.binding set generation = ${nextGeneration(schema)}
      where $4 = 'LOG_REPLACED' and exists (select from ${name}.position where partition = $1 and next_offset = $2)
      returning generation),
    moved as (
      update ${name}.position set next_offset = $3, start_offset = $3, revision = revision + 1, duplicates = 0,
        updated_at = now(), generation = coalesce((table raised), generation)
      where partition = $1 and next_offset = $2 returning generation),
    -- Ends of the log that is gone are nothing to wait for.
    opened as (update ${name}.generation set ends[$1 + 1] = 0 where $4 = 'LOG_REPLACED' and cardinality(ends) > $1)
    insert into ${name}.gap (partition, generation, from_offset, to_offset, reason, operator)
    select $1, generation, $2, $3, $4, $5 from moved`;
  await db.query(text, [gap.partition, gap.from, gap.to, gap.reason, gap.operator]);
}
