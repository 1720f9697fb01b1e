import { setTimeout as delay } from 'node:timers/promises';
import { UserEventsError } from '../errors/user-events-error.ts';
import type { EventLog } from '../log/event-log.ts';
import { requireBoundTopic } from './bound-topic.ts';
import { countOpen } from '../postgres/sql/count-open.ts';
import { readPositions } from '../postgres/sql/positions.ts';
import type { Database } from '../postgres/transaction.ts';

export interface PartitionStatus {
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
}

export interface ServiceStatus {
  readonly log: string;
  readonly topic: string;
  readonly database: string;
  readonly schema: string;
  readonly group: string;
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

/** How far one service is: every partition counts, also those that it never had. */
export async function readStatus(
  log: EventLog,
  database: Database,
  request: StatusRequest,
): Promise<ServiceStatus> {
  const { pool, schema, address } = database;
  const { topic } = await log.describe();
  await requireBoundTopic(database, topic);
  // Positions first: what is written in between then shows as lag, never as less than none.
  const positions = new Map(
    (await readPositions(pool, schema)).map((each) => [each.partition, each.nextOffset]),
  );
  const open = new Map((await countOpen(pool, schema)).map((each) => [each.partition, each]));
  const partitions: PartitionStatus[] = [];
  for (const { partition, low, high } of await log.watermarks()) {
    const position = positions.get(partition) ?? null;
    const from = position === null || position < low ? low : position;
    const lag = high > from ? high - from : 0n;
    const { failed = 0, parked = 0 } = open.get(partition) ?? {};
    const lagSeconds = lag === 0n ? null : await ageOf(log, partition, from, request.now);
    partitions.push({ partition, low, high, position, lag, lagSeconds, failed, parked });
  }
  const ages = partitions.map(({ lagSeconds }) => lagSeconds).filter((age) => age !== null);
  return {
    log: log.address,
    topic,
    database: address,
    schema,
    group: request.group,
    lag: partitions.reduce((sum, { lag }) => sum + lag, 0n),
    lagSeconds: ages.length === 0 ? null : Math.max(...ages),
    failed: partitions.reduce((sum, { failed }) => sum + failed, 0),
    parked: partitions.reduce((sum, { parked }) => sum + parked, 0),
    partitions,
  };
}

async function ageOf(
  log: EventLog,
  partition: number,
  offset: bigint,
  now: () => number,
): Promise<number | null> {
  for await (const { records } of log.read([{ partition, from: offset, to: offset + 1n }])) {
    const [record] = records;
    if (record !== undefined) return Math.max(0, Math.round((now() - record.timestamp) / 1000));
  }
  return null;
}

const LOOK_EVERY_MS = 200;

/** Waits until the lag is `maxLag` offsets or less. TIMED_OUT after `timeoutMs`. */
export async function awaitLag(
  read: () => Promise<ServiceStatus>,
  maxLag: number,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ServiceStatus> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    const status = await read();
    if (status.lag <= BigInt(maxLag)) return status;
    if (performance.now() > until) {
      const message = `The lag is ${String(status.lag)}, more than ${String(maxLag)}, after ${String(timeoutMs / 1000)} s`;
      throw new UserEventsError('TIMED_OUT', message, {
        hint: 'Is a consumer running?',
        facts: { lag: Number(status.lag) },
      });
    }
    await delay(LOOK_EVERY_MS, undefined, { signal });
  }
}
