import { int8Array } from '../binary-array.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';
import { nextGeneration } from './bind-group.ts';

/** A topic that was made anew under the name of the one that this schema was bound to. */
export interface ReplacedLog {
  readonly topicId: string;
  readonly partitionCount: number;
  /** Where its partitions begin. */
  readonly lows: readonly { readonly partition: number; readonly low: bigint }[];
  readonly operator: string;
}

/**
 * Binds the schema to the new topic and moves every position to its start, in a new generation, after --accept-gap.
 * One row of the binding and all positions, locked until it commits; of two members the first one does it. Safe to
 * repeat.
 */
export async function replaceLog(db: Queryable, schema: string, log: ReplacedLog): Promise<void> {
  const name = quoteIdentifier(schema);
  const text = `with bound as (
      update ${name}.binding set topic_id = $1, partition_count = $2, generation = ${nextGeneration(schema)}
      where topic_id is distinct from $1 returning generation),
    low as (select * from unnest($3::int[], $4::int8[]) as l(partition, low_offset)),
    old as (select p.partition, p.next_offset, coalesce(l.low_offset, 0) as low_offset
      from ${name}.position p left join low l using (partition), bound for update of p),
    moved as (
      update ${name}.position p set next_offset = old.low_offset, start_offset = old.low_offset,
        generation = bound.generation, revision = revision + 1, duplicates = 0, updated_at = now()
      from old, bound where p.partition = old.partition
      returning p.partition, p.generation, old.next_offset as from_offset, old.low_offset as to_offset),
    -- Growths of the log that is gone are nothing to wait for, and no partition of the new one is of their generation.
    opened as (delete from ${name}.generation where exists (table bound))
    insert into ${name}.gap (partition, generation, from_offset, to_offset, reason, operator)
    select partition, generation, from_offset, to_offset, 'LOG_REPLACED', $5 from moved`;
  const { topicId, partitionCount, lows, operator } = log;
  await db.query(text, [
    topicId,
    partitionCount,
    lows.map(({ partition }) => partition),
    int8Array(lows.map(({ low }) => low)),
    operator,
  ]);
}
