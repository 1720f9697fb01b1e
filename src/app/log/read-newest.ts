import type { LogRecord } from '../../domain/record.ts';
import type { EventLog, ReadRange } from '../../log/event-log.ts';

/** Offsets that are read backwards at once, at the most: what a search for rare records holds no more of. */
const MAX_WINDOW = 100_000n;
/** Each window back is so much larger than the one before it. */
const GROWTH = 4n;

/** A partition's part that is searched: [from, to). */
export interface Part extends ReadRange {
  readonly to: bigint;
}

/** Keeps of records, which come in offset order, those that are wanted. */
export type Keep<T> = (records: readonly LogRecord[]) => Promise<readonly T[]>;

/**
 * The newest `count` of what `keep` keeps, oldest first: by timestamp, then partition; within a partition by offset. Reads
 * every partition backwards in growing windows until it has enough or has reached its part's beginning. (The last
 * `count` offsets would not do: compaction and transactions leave gaps.)
 */
export async function readNewest<T extends { readonly record: LogRecord }>(
  log: EventLog,
  parts: readonly Part[],
  count: number,
  keep: Keep<T>,
  signal: AbortSignal,
): Promise<readonly T[]> {
  const found = new Map<number, T[]>();
  let window = BigInt(count);
  let open = parts.map((part) => ({ ...part }));
  while (open.length > 0 && !signal.aborted) {
    const ranges = open.map(({ partition, from, to }) => ({
      partition,
      from: from > to - window ? from : to - window,
      to,
    }));
    const kept = await readRanges(log, ranges, count, keep, signal);
    for (const [partition, entries] of kept) {
      found.set(partition, [...entries, ...(found.get(partition) ?? [])].slice(-count));
    }
    open = open.flatMap(({ partition, from }, at) => {
      const to = ranges[at]?.from ?? from;
      const isEnough = (found.get(partition)?.length ?? 0) >= count;
      return isEnough || to <= from ? [] : [{ partition, from, to }];
    });
    window = window * GROWTH > MAX_WINDOW ? MAX_WINDOW : window * GROWTH;
  }
  return newestOf([...found.values()], count);
}

async function readRanges<T>(
  log: EventLog,
  ranges: readonly ReadRange[],
  count: number,
  keep: Keep<T>,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, readonly T[]>> {
  const kept = new Map<number, readonly T[]>();
  for await (const { partition, records } of log.read(ranges, { signal })) {
    const entries = await keep(records);
    if (entries.length > 0) kept.set(partition, [...(kept.get(partition) ?? []), ...entries].slice(-count));
  }
  return kept;
}

/** Takes the latest of the lists' ends until there are enough. Empties the lists. */
function newestOf<T extends { readonly record: LogRecord }>(lists: T[][], count: number): readonly T[] {
  const newest: T[] = [];
  while (newest.length < count) {
    const latest = lists.reduce<T[]>((best, list) => (isLater(list.at(-1), best.at(-1)) ? list : best), []);
    const entry = latest.pop();
    if (entry === undefined) break;
    newest.push(entry);
  }
  return newest.reverse();
}

function isLater(
  a: { readonly record: LogRecord } | undefined,
  b: { readonly record: LogRecord } | undefined,
): boolean {
  if (a === undefined) return false;
  if (b === undefined) return true;
  if (a.record.timestamp !== b.record.timestamp) return a.record.timestamp > b.record.timestamp;
  return a.record.partition > b.record.partition;
}
