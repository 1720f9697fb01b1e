import type { OffsetPoint, OffsetSpec } from '../../domain/offset-spec.ts';
import { partitionFor } from '../../domain/partitioner.ts';
import { resolveOffsets } from '../../domain/resolve-offsets.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { EventLog, ReadRange, Watermarks } from '../../log/event-log.ts';
import type { LogReader } from './read-entries.ts';

/** The partitions that are asked for: those given, else that of the user. USAGE where one is not there. */
export function choosePartitions(
  watermarks: readonly Watermarks[],
  { filter, envelope }: Pick<LogReader, 'filter' | 'envelope'>,
  partitions: readonly number[] | null,
): readonly Watermarks[] {
  const ofUser =
    filter.userId === undefined ? null : [partitionFor(Buffer.from(filter.userId), watermarks.length)];
  const chosen = partitions ?? ofUser;
  if (chosen === null) return watermarks;
  const missing = chosen.find((partition) => !watermarks.some((each) => each.partition === partition));
  if (missing === undefined) return watermarks.filter(({ partition }) => chosen.includes(partition));
  const last = watermarks.length - 1;
  throw new UserEventsError(
    'USAGE',
    `${envelope.topic} has no partition ${String(missing)}: it has 0 to ${String(last)}`,
  );
}

/** How much older than its id (a UUIDv7 begins with ms) a record may look: clocks differ. ms. */
const CLOCK_SKEW_MS = 60_000;

/** The ranges in two parts where the id tells a time: what is newer than that is searched first. */
export async function likelyFirst(
  log: EventLog,
  ranges: readonly Required<ReadRange>[],
  eventId: string,
): Promise<readonly (readonly ReadRange[])[]> {
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-7/i.test(eventId)) return [ranges];
  const madeAt = parseInt(eventId.slice(0, 8) + eventId.slice(9, 13), 16);
  const starts = await log.offsetsAtTime(Math.max(0, madeAt - CLOCK_SKEW_MS));
  const splits = ranges.map(({ partition, from, to }) => {
    const start = starts.get(partition) ?? from;
    const middle = start < from ? from : start > to ? to : start;
    return { newer: { partition, from: middle, to }, older: { partition, from, to: middle } };
  });
  return [splits.map(({ newer }) => newer), splits.map(({ older }) => older)];
}

/** A range without an end ends where the log does now: what comes meanwhile must not make it go on for ever. */
export async function resolveRanges(
  log: EventLog,
  offsets: OffsetSpec | null,
  bounds: readonly Watermarks[],
): Promise<readonly Required<ReadRange>[]> {
  const spec = offsets ?? { from: { at: 'low', plus: 0n }, to: null };
  const [from, to] = await Promise.all([offsetsAt(log, spec.from), offsetsAt(log, spec.to)]);
  const ends = new Map(bounds.map(({ partition, high }) => [partition, high]));
  return resolveOffsets(spec, bounds, (edge) => (edge === 'from' ? from : to)).map((range) => ({
    to: ends.get(range.partition) ?? range.from,
    ...range,
  }));
}

async function offsetsAt(log: EventLog, point: OffsetPoint | null): Promise<ReadonlyMap<number, bigint>> {
  return point?.at === 'time' ? log.offsetsAtTime(point.timestamp) : new Map();
}
