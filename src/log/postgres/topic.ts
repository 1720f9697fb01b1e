import { migrateLog } from '../../postgres/migrate.ts';
import type { CommittedOffset, TopicDescription, Watermarks } from '../event-log.ts';
import { query, type LogConnection } from './connection.ts';
import { topicNotFound } from './errors.ts';

export interface Topic {
  readonly topicId: number;
  readonly partitionCount: number;
  /** The log's own id: DESIGN's cluster id. */
  readonly logId: string;
}

/** Reads the topic. Throws TOPIC_NOT_FOUND. */
export async function findTopic(log: LogConnection): Promise<Topic> {
  const [topic] = await query<Topic>(log, {
    name: 'find-topic',
    text: `select topic_id as "topicId", partition_count as "partitionCount", log_id as "logId"
      from topic, identity where topic = $1`,
    values: [log.topic],
  });
  if (topic === undefined) throw topicNotFound(log);
  return topic;
}

export function describeTopic(log: LogConnection, { logId, partitionCount }: Topic): TopicDescription {
  return { clusterId: logId, topic: log.topic, partitionCount };
}

/** Makes the log's tables and the topic where they are absent. Safe to repeat, and from several processes at once. */
export async function createTopic(
  log: LogConnection,
  connectionString: string,
  partitionCount: number,
): Promise<'created' | 'exists'> {
  await migrateLog({ connectionString, schema: log.schema });
  const made = await query(log, {
    name: 'create-topic',
    text: `with made as (
        insert into topic (topic, partition_count) values ($1, $2) on conflict (topic) do nothing returning topic_id
      ), with_partitions as (
        insert into topic_partition (topic_id, partition) select topic_id, generate_series(0, $2::int - 1) from made
      )
      select topic_id from made`,
    values: [log.topic, partitionCount],
  });
  return made.length === 0 ? 'exists' : 'created';
}

/** Of every partition, in the order of their numbers. */
export async function readWatermarks(log: LogConnection, topicId: number): Promise<readonly Watermarks[]> {
  return query<Watermarks>(log, {
    name: 'read-watermarks',
    text: `select partition, low_offset as low, next_offset as high from topic_partition
      where topic_id = $1 order by partition`,
    values: [topicId],
  });
}

/** Per partition the first offset at or after `timestamp` (ms), else the high watermark. One probe of an index. */
export async function readOffsetsAtTime(
  log: LogConnection,
  topicId: number,
  timestamp: number,
): Promise<ReadonlyMap<number, bigint>> {
  const rows = await query<{ partition: number; offset: bigint }>(log, {
    name: 'read-offsets-at-time',
    text: `select p.partition, coalesce(
        (select r."offset" from record r
          where r.topic_id = p.topic_id and r.partition = p.partition and r.latest >= $2 and r."timestamp" >= $2
          order by r.latest, r."offset" limit 1),
        p.next_offset) as "offset"
      from topic_partition p where p.topic_id = $1`,
    values: [topicId, Math.ceil(timestamp)],
  });
  return new Map(rows.map(({ partition, offset }) => [partition, offset]));
}

/** What a group has committed; partitions without a commit are absent. */
export async function readCommitted(
  log: LogConnection,
  topicId: number,
  group: string,
): Promise<ReadonlyMap<number, CommittedOffset>> {
  const rows = await query<{ partition: number } & CommittedOffset>(log, {
    name: 'read-committed',
    text: `select partition, next_offset as "offset", metadata from group_partition
      where topic_id = $1 and consumer_group = $2 and next_offset is not null`,
    values: [topicId, group],
  });
  return new Map(rows.map(({ partition, offset, metadata }) => [partition, { offset, metadata }]));
}
