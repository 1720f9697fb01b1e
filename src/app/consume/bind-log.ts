import { topicReplaced } from '../../errors/topic-replaced.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { EventLog } from '../../log/event-log.ts';
import { addGeneration, bindGroup, rebindLog } from '../../postgres/sql/bind-group.ts';
import { replaceLog } from '../../postgres/sql/replace-log.ts';
import type { Pool } from '../../postgres/transaction.ts';

export interface LogBinding {
  readonly clusterId: string;
  readonly topic: string;
  /** The id that every record has to be of; null where the log tells none. */
  readonly topicId: string | null;
}

export interface BindOptions {
  readonly group: string;
  readonly acceptGap: boolean;
  /** Who accepts a gap. */
  readonly operator: string;
  /** Who is told of what is found. */
  readonly observe?: { readonly onUnevenGrowth: (from: number, to: number) => void };
}

/**
 * Binds the schema to cluster, topic, partition count and group at first use, and checks them: at the start and at every
 * assignment, since a topic may grow, or be made anew, under a running consumer (DESIGN 4). Growth is recorded with the
 * ends that the old partitions have to reach first. Throws BINDING_MISMATCH, LOG_REPLACED, TOPIC_NOT_FOUND.
 */
export async function bindLog(
  log: EventLog,
  pool: Pool,
  schema: string,
  { group, acceptGap, operator, observe }: BindOptions,
): Promise<LogBinding> {
  const found = await log.describe();
  const topicId = await log.topicId();
  const { clusterId, topic, partitionCount } = found;
  const bound = await bindGroup(pool, schema, { clusterId, topic, topicId, partitionCount, group });
  requireSame('topic', bound.topic, topic, schema);
  requireSame('group', bound.group, group, schema);
  const isInCluster = bound.clusterId === clusterId;
  if (isInCluster && topicId !== null && bound.topicId !== null && bound.topicId !== topicId) {
    if (!acceptGap) throw topicReplaced(topic);
    await replaceLog(pool, schema, { topicId, partitionCount, lows: await log.watermarks(), operator });
  } else if (!isInCluster || partitionCount < bound.partitionCount) {
    if (!acceptGap) {
      requireSame('cluster', bound.clusterId, clusterId, schema);
      const message = `${topic} has ${String(partitionCount)} partitions and had ${String(bound.partitionCount)}: it was made anew`;
      throw new UserEventsError('LOG_REPLACED', message);
    }
    await rebindLog(pool, schema, { ...found, topicId });
  } else if (partitionCount > bound.partitionCount) {
    const ends = (await log.watermarks()).filter(({ partition }) => partition < bound.partitionCount);
    const sorted = ends.toSorted((a, b) => a.partition - b.partition).map(({ high }) => high);
    const outcome = await addGeneration(pool, schema, partitionCount, sorted);
    if (outcome === 'behind' && partitionCount % bound.partitionCount !== 0) {
      observe?.onUnevenGrowth(bound.partitionCount, partitionCount);
    }
  }
  return { clusterId, topic, topicId: topicId ?? bound.topicId };
}

function requireSame(what: string, bound: string, found: string, schema: string): void {
  if (bound === found) return;
  const message = `The schema ${schema} belongs to ${what} ${bound}, not to ${found}`;
  throw new UserEventsError('BINDING_MISMATCH', message);
}
