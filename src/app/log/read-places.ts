import { detached, type LogRecord } from '../../domain/record.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { EventLog, ReadRange, RecordPosition } from '../../log/event-log.ts';

/** Places nearer to each other than this are read in one range: what lies between costs less than another request. */
const NEAR = 500n;

/**
 * The records at places of a log, by `placeName`, in memory of their own; absent where the log has none there any more
 * (retention, compaction), also where that happens under the reader, or not yet.
 */
export async function readPlaces(
  log: EventLog,
  places: readonly RecordPosition[],
): Promise<ReadonlyMap<string, LogRecord>> {
  const found = new Map<string, LogRecord>();
  for (let left = places; ;) {
    try {
      await readInto(found, log, left);
      return found;
    } catch (error) {
      const gone = goneAt(error);
      if (gone === null) throw error;
      // A partition is read in the order of its offsets: what is not found before that one is gone, too.
      const isGone = ({ partition, offset }: RecordPosition) =>
        partition === gone.partition && offset <= gone.offset;
      left = left.filter((place) => !found.has(placeName(place)) && !isGone(place));
    }
  }
}

async function readInto(
  found: Map<string, LogRecord>,
  log: EventLog,
  places: readonly RecordPosition[],
): Promise<void> {
  if (places.length === 0) return;
  const bounds = new Map((await log.watermarks()).map((marks) => [marks.partition, marks]));
  const there = places.filter(({ partition, offset }) => {
    const marks = bounds.get(partition);
    return marks !== undefined && offset >= marks.low && offset < marks.high;
  });
  const wanted = new Set(there.map(placeName));
  // Ranges of one partition follow each other: a log reads one range of a partition at a time.
  for (const ranges of rounds(rangesOf(there))) {
    for await (const { records } of log.read(ranges)) {
      for (const record of records) {
        if (wanted.has(placeName(record))) found.set(placeName(record), detached(record));
      }
    }
  }
}

/** Where a log says that it has nothing to read from; null for another failure. */
function goneAt(error: unknown): RecordPosition | null {
  if (!(error instanceof UserEventsError) || error.code !== 'OFFSET_OUT_OF_RANGE') return null;
  const { partition, expected } = error.facts;
  return typeof partition === 'number' && typeof expected === 'bigint'
    ? { partition, offset: expected }
    : null;
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
