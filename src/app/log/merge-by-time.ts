import type { LogRecord } from '../../domain/record.ts';
import type { EventLog, ReadRange, RecordBatch } from '../../log/event-log.ts';

const PAGE_RECORDS = 1000;

/**
 * Reads ranges as one sequence: by timestamp, then partition; within a partition always by offset, whatever its
 * timestamps. Every partition has a reader of its own, so that no more than a batch of each is held.
 */
export async function* mergeByTime(
  log: EventLog,
  ranges: readonly ReadRange[],
  signal: AbortSignal,
): AsyncGenerator<readonly LogRecord[], void> {
  const heads = ranges.map((range) => new Head(log.read([range], { signal })[Symbol.asyncIterator]()));
  try {
    await Promise.all(heads.map((head) => head.fill()));
    let page: LogRecord[] = [];
    for (;;) {
      const earliest = heads.reduce<Head | null>((best, head) => earlier(best, head), null);
      const record = earliest?.record;
      if (earliest === null || record === undefined) break;
      page.push(record);
      if (earliest.advance()) await earliest.fill();
      if (page.length < PAGE_RECORDS) continue;
      yield page;
      page = [];
    }
    yield page;
  } finally {
    await Promise.all(heads.map((head) => head.close()));
  }
}

/** What comes next of one partition. */
class Head {
  private readonly batches: AsyncIterator<RecordBatch>;
  private records: readonly LogRecord[] = [];
  private at = 0;

  constructor(batches: AsyncIterator<RecordBatch>) {
    this.batches = batches;
  }

  /** Undefined at the end. */
  get record(): LogRecord | undefined {
    return this.records[this.at];
  }

  /** Steps on. True where more must be read. */
  advance(): boolean {
    this.at += 1;
    return this.at >= this.records.length;
  }

  async fill(): Promise<void> {
    while (this.at >= this.records.length) {
      const next = await this.batches.next();
      if (next.done === true) return;
      this.records = next.value.records;
      this.at = 0;
    }
  }

  async close(): Promise<void> {
    await this.batches.return?.();
  }
}

function earlier(best: Head | null, head: Head): Head | null {
  const [a, b] = [best?.record, head.record];
  if (b === undefined) return best;
  if (a === undefined) return head;
  if (a.timestamp !== b.timestamp) return a.timestamp < b.timestamp ? best : head;
  return a.partition <= b.partition ? best : head;
}
