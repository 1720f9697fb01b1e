import { UserEventsError } from '../../errors/user-events-error.ts';
import type { EventLog } from '../../log/event-log.ts';
import { addGeneration, bindGroup, rebindLog } from '../../postgres/sql/bind-group.ts';
import type { Pool } from '../../postgres/transaction.ts';

export interface LogBinding {
  readonly clusterId: string;
  readonly topic: string;
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
  options: { readonly group: string; readonly acceptGap: boolean },
): Promise<LogBinding> {
  const { clusterId, topic, partitionCount } = await log.describe();
  const bound = await bindGroup(pool, schema, { clusterId, topic, partitionCount, group: options.group });
  requireSame('topic', bound.topic, topic, schema);
  requireSame('group', bound.group, options.group, schema);
  const isOther = bound.clusterId !== clusterId || partitionCount < bound.partitionCount;
  if (isOther && options.acceptGap) await rebindLog(pool, schema, clusterId, partitionCount);
  else if (isOther) {
    requireSame('cluster', bound.clusterId, clusterId, schema);
    const message = `${topic} has ${String(partitionCount)} partitions and had ${String(bound.partitionCount)}: it was made anew`;
    throw new UserEventsError('LOG_REPLACED', message);
  } else if (partitionCount > bound.partitionCount) {
    const ends = (await log.watermarks()).filter(({ partition }) => partition < bound.partitionCount);
    const sorted = ends.toSorted((a, b) => a.partition - b.partition).map(({ high }) => high);
    await addGeneration(pool, schema, partitionCount, sorted);
  }
  return { clusterId, topic };
}

function requireSame(what: string, bound: string, found: string, schema: string): void {
  if (bound === found) return;
  const message = `The schema ${schema} belongs to ${what} ${bound}, not to ${found}`;
  throw new UserEventsError('BINDING_MISMATCH', message);
}
