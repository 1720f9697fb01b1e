import { setMaxListeners } from 'node:events';

import type { ReadRange, RecordBatch } from '../event-log.ts';
import { withPatience, type Attempts } from './connection.ts';
import { checkStart, type PageRequest } from './page.ts';
import { pagesOf, type ReadSource } from './pages.ts';
import { readWatermarks } from './topic.ts';

type Pages = AsyncGenerator<RecordBatch, void>;

/**
 * Reads ranges without a group: as the port's `read` says. Every range is checked before the first batch; without
 * `follow` each ends at the high watermark of that moment at the latest. Ends, without an error, when the signal aborts.
 */
export async function* readRanges(
  source: ReadSource,
  ranges: readonly ReadRange[],
  follow: boolean,
  attempts: Attempts,
): Pages {
  const requests = await withPatience(source.log, attempts, () => requestsOf(source, ranges, follow));
  // A caller that stops reading ends what is under way for it.
  const stopped = new AbortController();
  const ends = { ...attempts, signal: AbortSignal.any([attempts.signal, stopped.signal]) };
  // Every partition waits for it.
  setMaxListeners(0, ends.signal);
  try {
    yield* interleaved(requests.map((request) => pagesOf(source, request, ends)));
  } catch (error) {
    if (!ends.signal.aborted) throw error;
  } finally {
    stopped.abort();
  }
}

async function requestsOf(
  { log, topic }: ReadSource,
  ranges: readonly ReadRange[],
  follow: boolean,
): Promise<readonly PageRequest[]> {
  const marks = await readWatermarks(log, topic.topicId);
  return ranges
    .filter(({ from, to }) => to === undefined || to > from)
    .map(({ partition, from, to }) => {
      const mark = marks.find((each) => each.partition === partition);
      const high = checkStart(log, topic, { partition, from }, mark);
      return { partition, from, to: follow || (to !== undefined && to < high) ? to : high };
    })
    .filter(({ from, to }) => to === undefined || to > from);
}

/** Whatever is there first; each source in its own order, and behind the others after its turn. Leaves out empty pages. */
async function* interleaved(sources: readonly Pages[]): Pages {
  const step = async (source: Pages) => ({ source, result: await source.next() });
  const steps = new Map(sources.map((source) => [source, step(source)]));
  try {
    while (steps.size > 0) {
      const { source, result } = await Promise.race(steps.values());
      steps.delete(source);
      if (result.done === true) continue;
      steps.set(source, step(source));
      if (result.value.records.length > 0) yield result.value;
    }
  } finally {
    for (const pending of steps.values()) pending.catch(() => undefined);
  }
}
