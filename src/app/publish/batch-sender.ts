import { readEnvelope } from '../../domain/read-envelope.ts';
import type { EnvelopeContext } from '../../domain/envelope.ts';
import type { NewRecord } from '../../domain/record.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { EventLog, RecordPosition } from '../../log/event-log.ts';
import type { Prepared } from './prepare-line.ts';

/** Records and bytes of one append at the most: flat memory, and full requests to four partitions. */
const MAX_RECORDS = 4000;
const MAX_BYTES = 4 * 1024 * 1024;

/** Where the records of one partition went. Other producers' records may lie between. */
export interface PartitionRange {
  readonly partition: number;
  readonly count: number;
  readonly firstOffset: bigint;
  readonly lastOffset: bigint;
}

/** A range that still grows. */
type OpenRange = { -readonly [Name in keyof PartitionRange]: PartitionRange[Name] };

/**
 * Appends records in order, in batches, one append at a time; while one is under way the next batch is filled. What is
 * there is sent when the log is idle: a slow input is not held back, a fast one makes full batches.
 */
export class BatchSender {
  /** Records known to be in the log. */
  sent = 0;
  readonly operations = new Map<string, number>();
  private readonly log: Pick<EventLog, 'append'>;
  private readonly onSent: (batch: readonly Prepared[], positions: readonly RecordPosition[]) => void;
  private readonly ranges = new Map<number, OpenRange>();
  private batch: Prepared[] = [];
  private batchBytes = 0;
  private inFlight: Promise<void> | null = null;
  private isEnding = false;
  private failure: Error | null = null;
  private failedLine: number | null = null;
  private lastLine: number | null = null;

  /** `onSent` is told what has come into the log, and where: `positions[i]` is that of `batch[i]`. */
  constructor(log: Pick<EventLog, 'append'>, onSent: BatchSender['onSent']) {
    this.log = log;
    this.onSent = onSent;
  }

  /** By partition. */
  get partitions(): readonly PartitionRange[] {
    return [...this.ranges.values()].sort((a, b) => a.partition - b.partition);
  }

  /** The first line that is not known to be in the log; null where none was added. */
  get nextLine(): number | null {
    const line = this.failedLine ?? this.batch[0]?.line;
    return line ?? (this.lastLine === null ? null : this.lastLine + 1);
  }

  /** True when the batch must be sent before more is added. */
  get isFull(): boolean {
    return this.batch.length >= MAX_RECORDS || this.batchBytes >= MAX_BYTES;
  }

  add(prepared: Prepared): void {
    this.batch.push(prepared);
    this.lastLine = prepared.line;
    this.batchBytes += bytesOf(prepared.record);
  }

  /** Sends what has been added, when the append under way has ended. Throws that one's error. */
  async send(): Promise<void> {
    await this.inFlight;
    if (this.failure !== null) throw this.failure;
    this.begin();
  }

  /** The same where nothing is under way, else nothing: for the moments at which an input pauses. */
  async sendIfIdle(): Promise<void> {
    if (this.inFlight === null) await this.send();
  }

  /** Waits for the append under way, behind which none is begun any more. Throws its error. */
  async settle(): Promise<void> {
    this.isEnding = true;
    await this.inFlight;
    if (this.failure !== null) throw this.failure;
  }

  private begin(): void {
    if (this.inFlight !== null || this.batch.length === 0) return;
    const batch = this.batch;
    this.batch = [];
    this.batchBytes = 0;
    this.inFlight = this.append(batch);
  }

  /** Never rejects: the failure is kept for whoever settles. */
  private async append(batch: readonly Prepared[]): Promise<void> {
    try {
      const positions = await this.log.append(batch.map(({ record }) => record));
      this.sent += batch.length;
      this.tally(batch, positions);
    } catch (error) {
      const appended = error instanceof UserEventsError ? Number(error.facts['appended'] ?? 0) : 0;
      this.sent += appended;
      this.failedLine = batch[appended]?.line ?? null;
      this.failure = error instanceof Error ? error : new Error(String(error));
    }
    this.inFlight = null;
    // The input may pause for long: what came meanwhile does not wait for its next line.
    if (this.failure === null && !this.isEnding) this.begin();
  }

  /** Counts without an object of its own for each record: it is done for every event of a file. */
  private tally(batch: readonly Prepared[], positions: readonly RecordPosition[]): void {
    for (const [at, { operation }] of batch.entries()) {
      const position = positions[at];
      if (position === undefined) continue;
      const name = operation ?? 'ignored';
      this.operations.set(name, (this.operations.get(name) ?? 0) + 1);
      const { partition, offset } = position;
      const range = this.ranges.get(partition);
      if (range === undefined) {
        this.ranges.set(partition, { partition, count: 1, firstOffset: offset, lastOffset: offset });
      } else {
        range.count += 1;
        range.lastOffset = offset;
      }
    }
    this.onSent(batch, positions);
  }
}

/** Of key, value and headers: those of a record that another program wrote may be the largest of it. */
function bytesOf({ key, value, headers }: NewRecord): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0);
  for (const header of headers) bytes += header.key.length + (header.value?.length ?? 0);
  return bytes;
}

/** The id under which every ledger has a record that lies at `position`. */
export function finalEventId(
  { record, eventId, isIdDerived }: Prepared,
  position: RecordPosition,
  envelope: EnvelopeContext,
): string {
  const { timestamp } = record;
  // A record that states no id is given its time before it is sent: its id rests on it.
  if (!isIdDerived || timestamp === undefined) return eventId;
  return readEnvelope({ ...record, timestamp, ...position }, envelope).eventId;
}
