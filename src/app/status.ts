import { UserEventsError } from '../errors/user-events-error.ts';
import type { EventLog, GroupMember } from '../log/event-log.ts';
import { requireBoundTopic } from './bound-topic.ts';
import { countOpen } from '../postgres/sql/count-open.ts';
import { readPositions } from '../postgres/sql/positions.ts';
import type { Database } from '../postgres/transaction.ts';

/** How a service moves, between two looks at it (status/pace.ts). All null where it was looked at once. */
export interface Pace {
  /** Offsets decided a second. 0: it did not move. */
  readonly rate: number | null;
  /** Offsets written to the log a second. */
  readonly inflow: number | null;
  /** Until the lag is gone if both go on like this; null also where the lag does not shrink. */
  readonly catchUpSeconds: number | null;
}

export interface PartitionStatus extends Pace {
  readonly partition: number;
  readonly low: bigint;
  readonly high: bigint;
  /** The next offset to decide; null where this service never had the partition. */
  readonly position: bigint | null;
  /** Offsets behind: an upper bound on events. A partition never had counts from its low watermark. */
  readonly lag: bigint;
  /** Age of the next event to decide, in seconds; null where there is none. */
  readonly lagSeconds: number | null;
  readonly failed: number;
  readonly parked: number;
  /** Id of the member that reads it; null: nobody. */
  readonly memberId: string | null;
}

export interface ServiceStatus extends Pace {
  /** When the positions were read, ISO 8601. */
  readonly at: string;
  readonly engine: string;
  /** Where the log is: the brokers, or the address of its database. */
  readonly log: string;
  readonly topic: string;
  readonly database: string;
  readonly schema: string;
  readonly group: string;
  readonly members: readonly GroupMember[];
  readonly lag: bigint;
  readonly lagSeconds: number | null;
  readonly failed: number;
  readonly parked: number;
  readonly partitions: readonly PartitionStatus[];
}

export interface StatusRequest {
  readonly group: string;
  readonly now: () => number;
}

const NOT_MEASURED: Pace = { rate: null, inflow: null, catchUpSeconds: null };

/** How far one service is, at one look: every partition counts, also those that it never had. */
export async function readStatus(
  log: EventLog,
  database: Database,
  { group, now }: StatusRequest,
): Promise<ServiceStatus> {
  const { pool, schema, address } = database;
  const { topic } = await log.describe();
  await requireBoundTopic(database, topic);
  // Positions first: what is written in between then shows as lag, never as less than none.
  const positions = new Map(
    (await readPositions(pool, schema)).map((each) => [each.partition, each.nextOffset]),
  );
  const at = new Date(now()).toISOString();
  const watermarks = await log.watermarks();
  const members = await log.members(group);
  const open = new Map((await countOpen(pool, schema)).map((each) => [each.partition, each]));
  const reached = watermarks.map(({ partition, low, high }) => {
    const position = positions.get(partition) ?? null;
    const from = position === null || position < low ? low : position;
    return { partition, low, high, position, from, lag: high > from ? high - from : 0n };
  });
  const ages = await readAges(
    log,
    reached.filter(({ lag }) => lag > 0n),
    now,
  );
  const partitions = reached.map(({ from: _, ...each }): PartitionStatus => {
    const { partition } = each;
    const { failed = 0, parked = 0 } = open.get(partition) ?? {};
    const memberId = members.find((member) => member.partitions.includes(partition))?.memberId ?? null;
    return { ...each, lagSeconds: ages.get(partition) ?? null, failed, parked, memberId, ...NOT_MEASURED };
  });
  const { engine, address: logAddress } = log;
  const service = { at, engine, log: logAddress, topic, database: address, schema, group, members };
  return { ...service, ...sumUp(partitions), ...NOT_MEASURED, partitions };
}

function sumUp(
  partitions: readonly PartitionStatus[],
): Pick<ServiceStatus, 'lag' | 'lagSeconds' | 'failed' | 'parked'> {
  const ages = partitions.map(({ lagSeconds }) => lagSeconds).filter((age) => age !== null);
  return {
    lag: partitions.reduce((sum, { lag }) => sum + lag, 0n),
    lagSeconds: ages.length === 0 ? null : Math.max(...ages),
    failed: partitions.reduce((sum, { failed }) => sum + failed, 0),
    parked: partitions.reduce((sum, { parked }) => sum + parked, 0),
  };
}

/** Ages of the events at these offsets, by partition, in seconds. */
async function readAges(
  log: EventLog,
  offsets: readonly { readonly partition: number; readonly from: bigint }[],
  now: () => number,
): Promise<ReadonlyMap<number, number>> {
  const ages = new Map<number, number>();
  if (offsets.length === 0) return ages;
  const ranges = offsets.map(({ partition, from }) => ({ partition, from, to: from + 1n }));
  try {
    for await (const { partition, records } of log.read(ranges)) {
      const [record] = records;
      if (record !== undefined) {
        ages.set(partition, Math.max(0, Math.round((now() - record.timestamp) / 1000)));
      }
    }
  } catch (error) {
    // Retention has taken one of them since the watermarks were read: its age is not known, the rest is.
    if (!(error instanceof UserEventsError && error.code === 'OFFSET_OUT_OF_RANGE')) throw error;
  }
  return ages;
}
