/**
 * A record as it lies in the log, whichever engine holds it. Offsets are `bigint`, times ms since the epoch (UTC).
 */

export interface RecordHeader {
  readonly key: string;
  /** Null where the header has no value; bytes as they were written. */
  readonly value: Buffer | null;
}

/** Any entry of the log, readable or not. */
export interface LogRecord {
  readonly partition: number;
  readonly offset: bigint;
  /** The record's own timestamp, ms since the epoch. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** In the order written; names may repeat. */
  readonly headers: readonly RecordHeader[];
}

/** The same record in memory of its own: one that is kept must not keep all that it was read with, which may be MBs. */
export function detached({ key, value, headers, ...place }: LogRecord): LogRecord {
  const copy = (bytes: Buffer | null) => (bytes === null ? null : Buffer.from(bytes));
  const ownHeaders = headers.map((header) => ({ key: header.key, value: copy(header.value) }));
  return { ...place, key: copy(key), value: copy(value), headers: ownHeaders };
}

/** A record to append. */
export interface NewRecord {
  /** Where it goes; without it Java's murmur2 of the key decides, without a key partitions take turns. */
  readonly partition?: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
  /** ms since the epoch; without it the time of the append. */
  readonly timestamp?: number;
}
