import type { ServiceStatus } from '../../src/app/status.ts';

/** Position (null: never had) and high watermark of a partition. */
export type PartitionAt = readonly [position: bigint | null, high: bigint];

const MEMBER = { memberId: 'member-1', clientId: 'user-events', host: '10.0.0.7' };

/** A status as `readStatus` gives it, so many seconds after a fixed moment; one member has all partitions. */
export function serviceStatus(
  seconds: number,
  partitions: readonly PartitionAt[],
  members: ServiceStatus['members'] = [{ ...MEMBER, partitions: partitions.map((_, index) => index) }],
): ServiceStatus {
  const pace = { rate: null, inflow: null, catchUpSeconds: null };
  const rows = partitions.map(([position, high], partition) => {
    const lag = high - (position ?? 0n);
    const lagSeconds = lag === 0n ? null : 90;
    const memberId = members.find((member) => member.partitions.includes(partition))?.memberId ?? null;
    return { partition, low: 0n, high, position, lag, lagSeconds, failed: 0, parked: 0, memberId, ...pace };
  });
  const lag = rows.reduce((sum, row) => sum + row.lag, 0n);
  return {
    at: new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString(),
    engine: 'kafka',
    log: 'broker:9092',
    topic: 'user-events',
    database: 'db:5432/billing',
    schema: 'user_events',
    group: 'billing.user_events',
    members,
    lag,
    lagSeconds: lag === 0n ? null : 90,
    failed: 0,
    parked: 0,
    ...pace,
    partitions: rows,
  };
}
