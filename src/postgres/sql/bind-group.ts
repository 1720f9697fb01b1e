import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';

/** What a schema is bound to at first use, and checked against at every assignment (DESIGN 4). */
export interface GroupBinding {
  readonly clusterId: string;
  readonly topic: string;
  /** Null: the log told none, or the schema is from before ids were recorded. */
  readonly topicId: string | null;
  readonly partitionCount: number;
  readonly group: string;
}

interface BindingRow {
  readonly cluster_id: string | null;
  readonly topic: string | null;
  readonly topic_id: string | null;
  readonly partition_count: number | null;
  readonly consumer_group: string | null;
  readonly generation: number;
}

/**
 * Binds the schema unless it is bound, and returns what it is bound to. One row, locked until it commits. Until there is a
 * position nothing has been consumed, and the last one who came counts: a start that was refused binds nobody.
 */
export async function bindGroup(
  db: Queryable,
  schema: string,
  wanted: GroupBinding,
): Promise<GroupBinding & { readonly generation: number }> {
  // A schema that was bound before ids were recorded learns its id only behind the other checks (recordTopicId).
  const text = `update ${quoteIdentifier(schema)}.binding
    set cluster_id = case when is_free then $1 else cluster_id end, topic = case when is_free then $2 else topic end,
      topic_id = case when is_free then $3 else topic_id end,
      partition_count = case when is_free then $4 else partition_count end,
      consumer_group = case when is_free then $5 else consumer_group end, bound_at = coalesce(bound_at, now())
    from (select bound_at is null or not exists (select from ${quoteIdentifier(schema)}.position) as is_free
      from ${quoteIdentifier(schema)}.binding) as free
    returning cluster_id, topic, topic_id, partition_count, consumer_group, generation`;
  const { clusterId, topic, topicId, partitionCount, group } = wanted;
  const values = [clusterId, topic, topicId, partitionCount, group];
  const row = (await db.query<BindingRow>(text, values)).rows[0];
  return {
    clusterId: row?.cluster_id ?? clusterId,
    topic: row?.topic ?? topic,
    topicId: row?.topic_id ?? null,
    partitionCount: row?.partition_count ?? partitionCount,
    group: row?.consumer_group ?? group,
    generation: row?.generation ?? 0,
  };
}

/** Records the topic's id where none is recorded. One row. */
export async function recordTopicId(db: Queryable, schema: string, topicId: string): Promise<void> {
  const text = `update ${quoteIdentifier(schema)}.binding set topic_id = $1 where topic_id is null`;
  await db.query(text, [topicId]);
}

/**
 * The next value of the one counter of generations, over the row of `binding`: behind every position too, since those
 * were counted on their own once. A history is ordered by it, so whatever comes later has to have a higher one.
 */
export function nextGeneration(schema: string): string {
  return `greatest(generation, (select coalesce(max(p.generation), 0) from ${quoteIdentifier(schema)}.position p)) + 1`;
}

/**
 * Records another cluster, topic id and partition count, after --accept-gap took a log for the one it was: its new partitions
 * begin in a new generation. Growths beyond its count were another topic's. One row; safe to repeat.
 */
export async function rebindLog(
  db: Queryable,
  schema: string,
  found: Pick<GroupBinding, 'clusterId' | 'topicId' | 'partitionCount'>,
): Promise<void> {
  const name = quoteIdentifier(schema);
  const text = `with gone as (delete from ${name}.generation where partition_count > $3)
    update ${name}.binding set cluster_id = $1, topic_id = $2, partition_count = $3, generation = ${nextGeneration(schema)}
    where (cluster_id, topic_id, partition_count) is distinct from ($1, $2, $3)`;
  await db.query(text, [found.clusterId, found.topicId, found.partitionCount]);
}

/**
 * Records that the topic has more partitions now: a new generation, with the ends that the old partitions have to reach
 * first. Where the new count is no multiple of the old one users move between old partitions too, so these go on in the
 * new generation as well: what comes is behind what was, as long as all had been executed to the ends. Two members may
 * find the growth at once: the first one's ends count, and the other is told `known`. `behind`: an old partition is not
 * at its end. One row, and one a partition where the growth is uneven.
 */
export async function addGeneration(
  db: Queryable,
  schema: string,
  partitionCount: number,
  ends: readonly bigint[],
): Promise<'executed' | 'behind' | 'known'> {
  const name = quoteIdentifier(schema);
  const text = `with grown as (
      update ${name}.binding set partition_count = $1, generation = ${nextGeneration(schema)} where partition_count < $1
      returning generation),
    added as (insert into ${name}.generation (generation, partition_count, ends) select generation, $1, $2::int8[] from grown),
    old as (
      select coalesce(bool_and(coalesce(p.next_offset, 0) >= e.high), true) as is_executed
      from unnest($2::int8[]) with ordinality as e(high, n) left join ${name}.position p on p.partition = e.n - 1),
    raised as (
      update ${name}.position p set generation = grown.generation, revision = revision + 1, updated_at = now()
      from grown, old where old.is_executed and $1 % nullif(cardinality($2::int8[]), 0) <> 0)
    select case when not exists (table grown) then 'known' when is_executed then 'executed' else 'behind' end as outcome from old`;
  const { rows } = await db.query<{ outcome: 'executed' | 'behind' | 'known' }>(text, [partitionCount, ends]);
  return rows[0]?.outcome ?? 'known';
}

export interface Generation {
  readonly generation: number;
  readonly partitionCount: number;
  /** Index = partition. */
  readonly ends: readonly bigint[];
}

/** All recorded growths, oldest first. */
export async function readGenerations(db: Queryable, schema: string): Promise<readonly Generation[]> {
  const text = `select generation, partition_count as "partitionCount", ends from ${quoteIdentifier(schema)}.generation order by generation`;
  const { rows } = await db.query<Omit<Generation, 'ends'> & { ends: string[] }>(text);
  return rows.map((row) => ({ ...row, ends: row.ends.map(BigInt) }));
}
