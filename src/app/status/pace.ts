import { setTimeout as delay } from 'node:timers/promises';
import type { Pace, PartitionStatus, ServiceStatus } from '../status.ts';

/** Long enough for a busy consumer to finish a batch, short enough not to be waited for. */
const SECOND_LOOK_MS = 500;

/**
 * Looks once, and where something is behind and somebody is there to work on it, once more a moment later: that is
 * the only honest rate, since when a position was last written does not say how many events it was moved by.
 */
export async function measureStatus(
  read: () => Promise<ServiceStatus>,
  signal: AbortSignal,
): Promise<ServiceStatus> {
  const before = await read();
  if (before.lag === 0n || before.members.length === 0) return before;
  await delay(SECOND_LOOK_MS, undefined, { signal });
  return withPace(before, await read());
}

/** The later of two looks at one service, with how it moved in between. Pure. */
export function withPace(before: ServiceStatus, after: ServiceStatus): ServiceStatus {
  const seconds = (Date.parse(after.at) - Date.parse(before.at)) / 1000;
  // The clock was set back in between: nothing was measured.
  if (seconds <= 0) return after;
  const earlier = new Map(before.partitions.map((each) => [each.partition, each]));
  const partitions = after.partitions.map((each) => {
    const was = earlier.get(each.partition);
    return was === undefined ? each : { ...each, ...paceOf(was, each, seconds) };
  });
  return { ...after, ...sumUp(partitions), partitions };
}

function paceOf(before: PartitionStatus, after: PartitionStatus, seconds: number): Pace {
  const from = before.position ?? before.low;
  // Taken back (a replay) or never had: it did not get on.
  const moved = after.position !== null && after.position > from ? after.position - from : 0n;
  const written = after.high > before.high ? after.high - before.high : 0n;
  const net = Number(moved - written) / seconds;
  return {
    rate: perSecond(moved, seconds),
    inflow: perSecond(written, seconds),
    catchUpSeconds: after.lag === 0n ? 0 : net > 0 ? Math.ceil(Number(after.lag) / net) : null,
  };
}

/** The service has caught up when its slowest partition has; as long as one does not, nobody can say when. */
function sumUp(partitions: readonly PartitionStatus[]): Pace {
  const measured = partitions.filter(({ rate }) => rate !== null);
  if (measured.length === 0) return { rate: null, inflow: null, catchUpSeconds: null };
  const sum = (of: (each: PartitionStatus) => number | null): number =>
    round(measured.reduce((total, each) => total + (of(each) ?? 0), 0));
  const times = partitions.map((each) => (each.lag === 0n ? 0 : each.catchUpSeconds));
  return {
    rate: sum(({ rate }) => rate),
    inflow: sum(({ inflow }) => inflow),
    catchUpSeconds: times.includes(null) ? null : Math.max(...times.map((time) => time ?? 0)),
  };
}

function perSecond(offsets: bigint, seconds: number): number {
  return round(Number(offsets) / seconds);
}

/** To a tenth: more would be noise. */
function round(value: number): number {
  return Math.round(value * 10) / 10;
}
