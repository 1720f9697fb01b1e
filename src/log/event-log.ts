/**
 * The log, as everything above the adapters sees it: a topic of partitions with offsets, as Kafka has it.
 * Two adapters (kafka, postgres) pass one conformance suite. Offsets are `bigint`, times are ms since the epoch (UTC).
 *
 * Errors (UserEventsError): LOG_UNREACHABLE, LOG_AUTH_FAILED, LOG_REFUSED, TOPIC_NOT_FOUND, RECORD_TOO_LARGE,
 * OFFSET_OUT_OF_RANGE, LOG_REPLACED, GROUP_SHARED.
 */
import type { LogRecord, NewRecord } from '../domain/record.ts';

export interface RecordPosition {
  readonly partition: number;
  readonly offset: bigint;
}

/** Consecutive records of one partition. Offsets may have gaps; `records` may be empty (control batches). */
export interface RecordBatch {
  readonly partition: number;
  readonly records: readonly LogRecord[];
  /** The offset to read next: behind the last record and behind whatever is not delivered. */
  readonly nextOffset: bigint;
  /** The high watermark known when this batch was read. */
  readonly highWatermark: bigint;
}

export interface TopicDescription {
  /** The cluster's own id: another cluster, or a log made anew, has another one. */
  readonly clusterId: string;
  readonly topic: string;
  readonly partitionCount: number;
}

export interface Watermarks {
  readonly partition: number;
  /** First readable offset. */
  readonly low: bigint;
  /** Next offset to be written. */
  readonly high: bigint;
}

/** A range of one partition: [from, to), or without `to` up to the high watermark at the call, or for ever with `follow`. */
export interface ReadRange {
  readonly partition: number;
  readonly from: bigint;
  readonly to?: bigint;
}

export interface ReadOptions {
  /** Go on at the end and wait for more, until `signal` aborts. Rides out a log that is away. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

export interface CommittedOffset {
  readonly offset: bigint;
  readonly metadata: string;
}

/** Who reads for a group, as the log knows it. What it says of itself is data: not to be trusted. */
export interface GroupMember {
  readonly memberId: string;
  /** What the program calls itself. Null: not told. */
  readonly clientId: string | null;
  /** The address that it connects from. Null: not told (a local socket). */
  readonly host: string | null;
  /** Of this topic, ascending. None: it waits for its share, or there are more members than partitions. */
  readonly partitions: readonly number[];
}

export interface SubscribeOptions {
  readonly group: string;
  /**
   * Whose consumer this is. While members of another owner, or of none, live in the group, the subscription ends with
   * GROUP_SHARED before it is given a partition.
   */
  readonly owner?: string;
  /**
   * The group has let this member in and gives it these partitions; none where there are more members than partitions.
   * Told before `onAssigned`, and again whenever the group says so: nothing is to be begun by it.
   */
  readonly onJoined?: (partitions: readonly number[]) => void;
  /**
   * Partitions are now this member's. Nothing of them is delivered until this resolves with the offset from which
   * each is to be read. A rejection ends the subscription with that error.
   */
  readonly onAssigned: (partitions: readonly number[]) => Promise<ReadonlyMap<number, bigint>>;
  /**
   * The id that the topic has to have, asked for at every answer after `onAssigned`; null: any. Not one record of a
   * topic made anew is delivered, however soon after the old one it came: the subscription ends with LOG_REPLACED.
   */
  readonly topicId?: () => string | null;
  /** Partitions are no longer this member's (a rebalance, or the member was fenced): stop working on them. */
  readonly onRevoked: (partitions: readonly number[]) => Promise<void>;
  /** Synchronous and fast: the receiver puts the batch into its buffer and pauses the partition when that is full. */
  readonly onBatch: (batch: RecordBatch) => void;
  /** Told when the log is away and when it is back; the subscription rides it out. */
  readonly onTrouble?: (trouble: { readonly message: string } | null) => void;
}

/** One member of a consumer group. */
export interface Subscription {
  /** Stop delivering these partitions until `resume`. */
  pause(partitions: readonly number[]): void;
  resume(partitions: readonly number[]): void;
  /** Commits next offsets (backwards too) with `metadata`. Best effort at the caller's side: rejects when it fails. */
  commit(offsets: ReadonlyMap<number, bigint>, metadata: string): Promise<void>;
  /** Settles when the subscription has ended: resolves after `close`, rejects with the error that ended it. */
  readonly ended: Promise<void>;
  /** Leaves the group. No callback runs after it has resolved. */
  close(): Promise<void>;
}

export interface EventLog {
  /** `kafka` or `postgres`, for messages only. */
  readonly engine: string;
  /** Where the log is, without secrets, for messages only: `localhost:9092` or `postgres://host:5432/db`. */
  readonly address: string;
  describe(): Promise<TopicDescription>;
  /** The topic's own id in its cluster: one made anew has another one, and none comes back. Null: not told. */
  topicId(): Promise<string | null>;
  /** Makes the topic unless it is there. */
  createTopic(partitionCount: number): Promise<'created' | 'exists'>;
  /**
   * Appends in the order given per partition and returns the position of each record, in that order.
   * Acknowledged by all in-sync replicas, idempotent. One call at a time. Of nothing it connects, so that the next is soon. A failure may have appended a part:
   * the error's `facts.appended` says how many records of the input, from the first on, are known to be in.
   */
  append(records: readonly NewRecord[]): Promise<readonly RecordPosition[]>;
  watermarks(): Promise<readonly Watermarks[]>;
  /** Per partition the first offset whose timestamp is at or after `timestamp` (ms); the high watermark if none is. */
  offsetsAtTime(timestamp: number): Promise<ReadonlyMap<number, bigint>>;
  /**
   * Reads ranges without joining a group, read committed. Batches of one partition come in offset order; partitions
   * come interleaved. An offset outside the watermarks throws OFFSET_OUT_OF_RANGE, never a silent jump.
   */
  read(ranges: readonly ReadRange[], options?: ReadOptions): AsyncIterable<RecordBatch>;
  /** What a group has committed; partitions without a commit are absent. */
  committed(group: string): Promise<ReadonlyMap<number, CommittedOffset>>;
  /** Who is in a group now, by member id. One that died stays until its session times out. */
  members(group: string): Promise<readonly GroupMember[]>;
  subscribe(options: SubscribeOptions): Promise<Subscription>;
  close(): Promise<void>;
}
