import { quoteIdentifier, type Queryable } from '../pool.ts';

/** What a schema is bound to at first use, and checked against at every assignment (DESIGN 4). */
export interface GroupBinding {
  readonly clusterId: string;
  readonly topic: string;
  readonly partitionCount: number;
  readonly group: string;
}

interface BindingRow {
  readonly cluster_id: string | null;
  readonly topic: string | null;
  readonly partition_count: number | null;
  readonly consumer_group: string | null;
  readonly generation: number;
}

/** Binds the schema unless it is bound, and returns what it is bound to. One row, locked until it commits. */
export async function bindGroup(
  db: Queryable,
  schema: string,
  wanted: GroupBinding,
): Promise<GroupBinding & { readonly generation: number }> {
  const text = `update ${quoteIdentifier(schema)}.binding
    set cluster_id = coalesce(cluster_id, $1), topic = coalesce(topic, $2),
      partition_count = coalesce(partition_count, $3), consumer_group = coalesce(consumer_group, $4),
      bound_at = coalesce(bound_at, now())
    returning cluster_id, topic, partition_count, consumer_group, generation`;
  const { clusterId, topic, partitionCount, group } = wanted;
  const row = (await db.query<BindingRow>(text, [clusterId, topic, partitionCount, group])).rows[0];
  return {
    clusterId: row?.cluster_id ?? clusterId,
    topic: row?.topic ?? topic,
    partitionCount: row?.partition_count ?? partitionCount,
    group: row?.consumer_group ?? group,
    generation: row?.generation ?? 0,
  };
}

/** Records another cluster and partition count, after --accept-gap took a log made anew for this topic. One row. */
export async function rebindLog(
  db: Queryable,
  schema: string,
  clusterId: string,
  partitionCount: number,
): Promise<void> {
  const text = `update ${quoteIdentifier(schema)}.binding set cluster_id = $1, partition_count = $2`;
  await db.query(text, [clusterId, partitionCount]);
}

/**
 * Records that the topic has more partitions now: a new generation, with the ends that the old partitions have to reach
 * first. Two members may find it at once: the first one's ends count. Returns the generation.
 */
export async function addGeneration(
  db: Queryable,
  schema: string,
  partitionCount: number,
  ends: readonly bigint[],
): Promise<number> {
  const name = quoteIdentifier(schema);
  const text = `with grown as (
      update ${name}.binding set partition_count = $1, generation = generation + 1 where partition_count < $1
      returning generation),
    added as (insert into ${name}.generation (generation, partition_count, ends) select generation, $1, $2::int8[] from grown)
    select generation from grown union all select generation from ${name}.binding where partition_count >= $1 limit 1`;
  const { rows } = await db.query<{ generation: number }>(text, [partitionCount, ends]);
  return rows[0]?.generation ?? 0;
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
