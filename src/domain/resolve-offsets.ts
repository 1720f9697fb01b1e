import { UserEventsError } from '../errors/user-events-error.ts';
import type { OffsetPoint, OffsetSpec } from './offset-spec.ts';

/** The readable part of a partition: [low, high). */
export interface PartitionBounds {
  readonly partition: number;
  readonly low: bigint;
  readonly high: bigint;
}

/** What to read of a partition: [from, to), or from `from` on. Both lie within the watermarks; `to` is never less. */
export interface OffsetRange {
  readonly partition: number;
  readonly from: bigint;
  readonly to?: bigint;
}

/**
 * The ranges that a specification means, one for each partition of `watermarks`, in that order. `atTime` is asked only
 * where that edge is a time, and answers per partition the first offset at or after it; a partition that it does not
 * name has none.
 *
 * As in rpk, whatever lies outside a partition is cut to what it holds: `-5000` of a short partition is all of it,
 * `:1000` ends at the high watermark. A partition with nothing of the range gets an empty one, `to` = `from`.
 * An offset that was named is an error only where no partition has it: OFFSET_OUT_OF_RANGE if the first one is below
 * the low or above the high watermark of every partition, or the last one below the low watermark of every one.
 */
export function resolveOffsets(
  spec: OffsetSpec,
  watermarks: readonly PartitionBounds[],
  atTime: (edge: 'from' | 'to') => ReadonlyMap<number, bigint>,
): OffsetRange[] {
  refuseOutOfRange(spec, watermarks);
  const fromTimes = spec.from.at === 'time' ? atTime('from') : NO_TIMES;
  const toTimes = spec.to?.at === 'time' ? atTime('to') : NO_TIMES;
  return watermarks.map((bounds) => {
    const { partition } = bounds;
    const from = resolvePoint(spec.from, bounds, fromTimes);
    if (spec.to === null) return { partition, from };
    const to = resolvePoint(spec.to, bounds, toTimes);
    return { partition, from, to: to < from ? from : to };
  });
}

const NO_TIMES: ReadonlyMap<number, bigint> = new Map();

function resolvePoint(
  point: OffsetPoint,
  bounds: PartitionBounds,
  times: ReadonlyMap<number, bigint>,
): bigint {
  const { partition, low, high } = bounds;
  const offset = offsetOf(point, bounds, times.get(partition));
  if (offset < low) return low;
  return offset > high ? high : offset;
}

function offsetOf(point: OffsetPoint, { low, high }: PartitionBounds, atTime: bigint | undefined): bigint {
  switch (point.at) {
    case 'low':
      return low + point.plus;
    case 'high':
      return high - point.minus;
    case 'offset':
      return point.offset;
    case 'time':
      return atTime ?? high;
  }
}

function refuseOutOfRange({ from, to }: OffsetSpec, watermarks: readonly PartitionBounds[]): void {
  if (watermarks.length === 0) return;
  if (from.at === 'offset') {
    const { offset } = from;
    if (watermarks.every(({ low, high }) => offset < low || offset > high))
      throw outOfRange(offset, watermarks);
  }
  if (to?.at === 'offset') {
    const { offset } = to;
    if (watermarks.every(({ low }) => offset < low)) throw outOfRange(offset, watermarks);
  }
}

function outOfRange(offset: bigint, watermarks: readonly PartitionBounds[]): UserEventsError {
  const bounds = watermarks
    .slice(0, 4)
    .map(
      ({ partition, low, high }) => `partition ${String(partition)} has ${String(low)} to ${String(high)}`,
    );
  const more = watermarks.length > 4 ? `, and ${String(watermarks.length - 4)} more` : '';
  return new UserEventsError(
    'OFFSET_OUT_OF_RANGE',
    `Offset ${String(offset)} is in no partition: ${bounds.join(', ')}${more}.`,
  );
}
