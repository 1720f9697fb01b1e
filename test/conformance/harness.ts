import { afterEach } from '@jest/globals';
import type { LogRecord, NewRecord, RecordHeader } from '../../src/domain/record.ts';
import type { ErrorCode } from '../../src/errors/codes.ts';
import { UserEventsError } from '../../src/errors/user-events-error.ts';
import type { EventLog, ReadRange, RecordBatch } from '../../src/log/event-log.ts';
import { uniqueName } from '../support/names.ts';

export interface LogOptions {
  readonly topic: string;
  readonly patience: 'short' | 'long';
}

/** A log of the test's own, that can be away. */
export interface OwnLog {
  create(options: LogOptions): EventLog;
  /** Stops the server. */
  takeAway(): Promise<void>;
  /** Starts it again, with what it had. */
  bringBack(): Promise<void>;
  remove(): Promise<void>;
}

/** What an adapter brings to be tested. */
export interface EventLogFactory {
  /** Called twice for one topic it gives two independent instances, as two processes would have. */
  create(options: LogOptions): EventLog;
  startOwnLog(): Promise<OwnLog>;
  /** Headers whose names interleave come back gathered by name. @default false: in the order written */
  readonly gathersHeaders?: boolean;
}

/** The logs that one test opens, closed after it. */
export interface OpenLogs {
  /** A log on a topic of its own, with so many partitions. */
  fresh(partitionCount?: number): Promise<{ log: EventLog; topic: string }>;
  /** Another instance. */
  open(topic: string, patience?: 'short' | 'long'): EventLog;
}

export function useLogs(create: (options: LogOptions) => EventLog): OpenLogs {
  const opened: EventLog[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((log) => log.close()));
  });
  const open = (topic: string, patience: 'short' | 'long' = 'short') => {
    const log = create({ topic, patience });
    opened.push(log);
    return log;
  };
  return {
    open,
    async fresh(partitionCount = 4) {
      const topic = uniqueName('conformance');
      const log = open(topic);
      await log.createTopic(partitionCount);
      return { log, topic };
    },
  };
}

export function record(key: string | null, value: string, more: Partial<NewRecord> = {}): NewRecord {
  return {
    key: key === null ? null : Buffer.from(key),
    value: Buffer.from(value),
    headers: [],
    ...more,
  };
}

export function header(key: string, value: string | null): RecordHeader {
  return { key, value: value === null ? null : Buffer.from(value) };
}

/** `count` records of keys `user-0` … in turn, their values `0`, `1`, … */
export function records(count: number, { keys = 10, from = 0 } = {}): readonly NewRecord[] {
  return Array.from({ length: count }, (_, index) =>
    record(`user-${(from + index) % keys}`, String(from + index)),
  );
}

export async function readBatches(
  log: EventLog,
  ranges: readonly ReadRange[],
): Promise<readonly RecordBatch[]> {
  const batches: RecordBatch[] = [];
  for await (const batch of log.read(ranges)) batches.push(batch);
  return batches;
}

/** What a reader gives first, or its error. */
export async function firstBatch(
  log: EventLog,
  ranges: readonly ReadRange[],
): Promise<RecordBatch | undefined> {
  for await (const batch of log.read(ranges)) return batch;
  return undefined;
}

/** Everything that lies in the topic, each partition in its order. */
export async function readAll(log: EventLog): Promise<readonly LogRecord[]> {
  const ranges = (await log.watermarks()).map(({ partition, low }) => ({ partition, from: low }));
  return (await readBatches(log, ranges)).flatMap((batch) => batch.records);
}

export function textOf({ value }: { readonly value: Buffer | null }): string {
  return value?.toString() ?? '';
}

/** The UserEventsError that `promise` rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<UserEventsError> {
  const error: unknown = await promise.then(
    () => new Error('It did not fail'),
    (reason: unknown) => reason,
  );
  if (error instanceof UserEventsError) return error;
  throw error;
}

export async function codeOf(promise: Promise<unknown>): Promise<ErrorCode> {
  return (await errorOf(promise)).code;
}

export function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
