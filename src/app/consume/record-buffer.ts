import type { RecordBatch } from '../../log/event-log.ts';
import type { LogRecord } from '../../domain/record.ts';

/** What a worker takes at once: records in order, and the position behind them. */
export interface Portion {
  readonly records: readonly LogRecord[];
  readonly nextOffset: bigint;
}

/**
 * The bounded buffer between one partition's fetches and its worker: decoding goes on while PostgreSQL works.
 * Filled synchronously; `onFull` and `onDrained` pause and resume the partition.
 */
export class RecordBuffer {
  #records: LogRecord[] = [];
  #bytes = 0;
  #nextOffset: bigint | null = null;
  #waiting: (() => void) | null = null;
  #isClosed = false;
  #isFull = false;
  readonly #limits: { readonly records: number; readonly bytes: number };
  readonly #onFull: () => void;
  readonly #onDrained: () => void;

  constructor(
    limits: { readonly records: number; readonly bytes: number },
    onFull: () => void,
    onDrained: () => void,
  ) {
    this.#limits = limits;
    this.#onFull = onFull;
    this.#onDrained = onDrained;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The record that is taken next. */
  get first(): LogRecord | undefined {
    return this.#records[0];
  }

  push(batch: RecordBatch): void {
    if (this.#isClosed) return;
    for (const record of batch.records) {
      this.#records.push(record);
      this.#bytes += sizeOf(record);
    }
    this.#nextOffset = batch.nextOffset;
    if (
      !this.#isFull &&
      (this.#records.length >= this.#limits.records || this.#bytes >= this.#limits.bytes)
    ) {
      this.#isFull = true;
      this.#onFull();
    }
    this.#wake();
  }

  /** Waits for something and takes up to `most` records; null once it is closed. Never two calls at once. */
  async take(most: number): Promise<Portion | null> {
    while (!this.#isClosed && this.#nextOffset === null) {
      await new Promise<void>((resolve) => (this.#waiting = resolve));
    }
    if (this.#isClosed || this.#nextOffset === null) return null;
    const records = this.#records.splice(0, most);
    for (const record of records) this.#bytes -= sizeOf(record);
    const following = this.#records[0];
    // What lies between the last record and the next (markers, gaps) belongs to this portion.
    const nextOffset = following === undefined ? this.#nextOffset : following.offset;
    if (following === undefined) this.#nextOffset = null;
    if (
      this.#isFull &&
      this.#records.length < this.#limits.records / 2 &&
      this.#bytes < this.#limits.bytes / 2
    ) {
      this.#isFull = false;
      this.#onDrained();
    }
    return { records, nextOffset };
  }

  close(): void {
    this.#isClosed = true;
    this.#records = [];
    this.#wake();
  }

  #wake(): void {
    this.#waiting?.();
    this.#waiting = null;
  }
}

/** A record's share of memory, about: its bytes, those of its headers too, and what the object around them takes. */
function sizeOf({ key, value, headers }: LogRecord): number {
  let bytes = 200 + (key?.length ?? 0) + (value?.length ?? 0);
  for (const header of headers) bytes += header.key.length + (header.value?.length ?? 0);
  return bytes;
}
