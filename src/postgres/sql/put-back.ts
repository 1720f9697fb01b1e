import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';

/** Where a dead letter lies, and its own timestamp: another one there means that the topic was made anew. */
export interface LetterPlace {
  readonly partition: number;
  readonly offset: bigint;
  /** ms since the epoch. */
  readonly timestamp: number;
}

/** The topic of dead letters that is meant. */
export interface LetterTopic {
  readonly clusterId: string;
  readonly topic: string;
}

/** A dead letter that was put back, and where its record went. */
export interface PutBack extends LetterPlace {
  readonly toPartition: number;
  readonly toOffset: bigint;
}

/** Who puts back, and why. */
export interface PutBackTerms {
  readonly operator: string;
  readonly reason: string | null;
}

/** One putter-back at a time for a ledger, until the transaction ends: two runs would send every letter twice. */
export async function lockPutBack(db: Queryable, schema: string): Promise<void> {
  await db.query('select pg_advisory_xact_lock(hashtext($1))', [`user-events put back ${schema}`]);
}

/** When letters were put back (ms since the epoch), in the order asked; null where they were not. Uses the primary key. No locks. */
export async function readPutBack(
  db: Queryable,
  schema: string,
  { clusterId, topic }: LetterTopic,
  places: readonly LetterPlace[],
): Promise<readonly (number | null)[]> {
  if (places.length === 0) return [];
  const text = `select round(extract(epoch from b.put_back_at) * 1000)::float8 as "putBackAt"
    from unnest($3::int[], $4::int8[], $5::int8[]) with ordinality as a(partition, at, written_ms, place)
    left join ${quoteIdentifier(schema)}.put_back b on b.cluster_id = $1 and b.dead_letter_topic = $2
      and b.partition = a.partition and b."offset" = a.at and b.written_ms = a.written_ms
    order by a.place`;
  const { rows } = await db.query<{ putBackAt: number | null }>(text, [
    clusterId,
    topic,
    places.map(({ partition }) => partition),
    places.map(({ offset }) => offset),
    places.map(({ timestamp }) => BigInt(timestamp)),
  ]);
  return rows.map(({ putBackAt }) => putBackAt);
}

/** Records letters that were put back. One row each; a place whose topic was made anew is written over. */
export async function recordPutBack(
  db: Queryable,
  schema: string,
  { clusterId, topic }: LetterTopic,
  letters: readonly PutBack[],
  { operator, reason }: PutBackTerms,
): Promise<void> {
  const text = `insert into ${quoteIdentifier(schema)}.put_back
      (cluster_id, dead_letter_topic, partition, "offset", written_ms, operator, reason, to_partition, to_offset)
    select $1, $2, a.partition, a.at, a.written_ms, $3, $4, a.to_partition, a.to_offset
    from unnest($5::int[], $6::int8[], $7::int8[], $8::int[], $9::int8[]) as a(partition, at, written_ms, to_partition, to_offset)
    on conflict on constraint put_back_place do update set written_ms = excluded.written_ms, put_back_at = now(),
      operator = excluded.operator, reason = excluded.reason, to_partition = excluded.to_partition, to_offset = excluded.to_offset`;
  await db.query(text, [
    clusterId,
    topic,
    operator,
    reason,
    letters.map(({ partition }) => partition),
    letters.map(({ offset }) => offset),
    letters.map(({ timestamp }) => BigInt(timestamp)),
    letters.map(({ toPartition }) => toPartition),
    letters.map(({ toOffset }) => toOffset),
  ]);
}
