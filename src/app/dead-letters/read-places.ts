import type { LogRecord } from '../../domain/record.ts';
import type { EventLog, ReadRange, RecordPosition } from '../../log/event-log.ts';

/** Places nearer to each other than this are read in one range: what lies between costs less than another request. */
const NEAR = 500n;

/**
 * The records at places of a log, by `placeName`; absent where the log has none there any more (retention, compaction)
 * or not yet.
 */
export async function readPlaces(
  log: EventLog,
  places: readonly RecordPosition[],
): Promise<ReadonlyMap<string, LogRecord>> {
  const bounds = new Map((await log.watermarks()).map((marks) => [marks.partition, marks]));
  const there = places.filter(({ partition, offset }) => {
    const marks = bounds.get(partition);
    return marks !== undefined && offset >= marks.low && offset < marks.high;
  });
  const wanted = new Set(there.map(placeName));
  const found = new Map<string, LogRecord>();
  // Ranges of one partition follow each other: a log reads one range of a partition at a time.
  for (const ranges of rounds(rangesOf(there))) {
    for await (const { records } of log.read(ranges)) {
      for (const record of records) if (wanted.has(placeName(record))) found.set(placeName(record), record);
    }
  }
  return found;
}

/** `3@17`: a place as a name. */
export function placeName({ partition, offset }: RecordPosition): string {
  return `${String(partition)}@${offset.toString()}`;
}

function rangesOf(places: readonly RecordPosition[]): readonly Required<ReadRange>[] {
  const ranges: { partition: number; from: bigint; to: bigint }[] = [];
  const sorted = places.toSorted((a, b) => a.partition - b.partition || (a.offset < b.offset ? -1 : 1));
  for (const { partition, offset } of sorted) {
    const last = ranges.at(-1);
    if (last?.partition === partition && offset - last.to < NEAR) last.to = offset + 1n;
    else ranges.push({ partition, from: offset, to: offset + 1n });
  }
  return ranges;
}

/** The first range of every partition, then the second … */
function rounds(ranges: readonly Required<ReadRange>[]): readonly (readonly Required<ReadRange>[])[] {
  const byPartition = new Map<number, Required<ReadRange>[]>();
  for (const range of ranges)
    byPartition.set(range.partition, [...(byPartition.get(range.partition) ?? []), range]);
  const lists = [...byPartition.values()];
  const most = Math.max(0, ...lists.map(({ length }) => length));
  return Array.from({ length: most }, (_, round) => lists.flatMap((list) => list[round] ?? []));
}
