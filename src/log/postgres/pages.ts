import type { RecordBatch } from '../event-log.ts';
import type { Attempts, LogConnection } from './connection.ts';
import type { EndOfLog } from './end-of-log.ts';
import { fetchPage, type PageRequest } from './page.ts';
import type { Slots } from './slots.ts';
import type { Topic } from './topic.ts';

/** What reading needs. */
export interface ReadSource {
  readonly log: LogConnection;
  readonly topic: Topic;
  readonly endOfLog: EndOfLog;
  /** Bounds the pages that are fetched at a time, so that readers do not wait for a connection of the pool. */
  readonly slots: Slots;
}

/**
 * The pages of one partition from `range.from` on, in order; the next one is fetched while the last one is handled.
 * Ends at `range.to`; where that is undefined it waits at the end for more, until the signal aborts. The first page
 * may be empty: it says that there is nothing yet.
 */
export async function* pagesOf(
  { log, topic, endOfLog, slots }: ReadSource,
  range: PageRequest,
  attempts: Attempts,
): AsyncGenerator<RecordBatch, void> {
  const { partition, to } = range;
  const { signal } = attempts;
  const fetch = (from: bigint): Promise<RecordBatch> =>
    slots.run(() => fetchPage(log, topic, { partition, from, to }, attempts));
  let page = await fetch(range.from);
  for (;;) {
    if (isAborted(signal)) return;
    const { nextOffset, highWatermark } = page;
    const isFinished = to !== undefined && nextOffset >= to;
    const ahead = !isFinished && nextOffset < highWatermark ? fetch(nextOffset) : undefined;
    // Where the caller stops here, what becomes of the page ahead is nobody's concern.
    ahead?.catch(() => undefined);
    yield page;
    if (isFinished) return;
    if (ahead === undefined) await endOfLog.waitAbove(partition, nextOffset, signal);
    if (isAborted(signal)) return;
    page = await (ahead ?? fetch(nextOffset));
  }
}

/** Asked anew each time: it may have aborted during a wait. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
