import { setMaxListeners } from 'node:events';

import type { NewRecord } from '../../domain/record.ts';
import { addressOf, createPool } from '../../postgres/pool.ts';
import { quoteIdentifier } from '../../postgres/sql-text.ts';
import type {
  CommittedOffset,
  EventLog,
  GroupMember,
  ReadOptions,
  ReadRange,
  RecordBatch,
  RecordPosition,
  SubscribeOptions,
  Subscription,
  TopicDescription,
  Watermarks,
} from '../event-log.ts';
import { Appender } from './append.ts';
import { Arrivals } from './arrivals.ts';
import { withPatience, type LogConnection, type OnTrouble, type Patience } from './connection.ts';
import { EndOfLog } from './end-of-log.ts';
import { readMembers } from './members.ts';
import type { ReadSource } from './pages.ts';
import { readRanges } from './read.ts';
import { Slots } from './slots.ts';
import { PostgresSubscription } from './subscription.ts';
import {
  createTopic,
  describeTopic,
  findTopic,
  readCommitted,
  readOffsetsAtTime,
  readWatermarks,
  type Topic,
} from './topic.ts';

export interface PostgresLogSettings {
  readonly connectionString: string;
  readonly topic: string;
  /** @default 'user_events_log' */
  readonly schema?: string;
  readonly patience: Patience;
  /** How long a member of a group may not be heard of before it loses its partitions, ms. @default 6000 */
  readonly sessionTimeoutMs?: number;
}

/** Pages fetched at a time; the other connections are for listening, heartbeats, commits and appending. */
const FETCHES = 4;
const CONNECTIONS = FETCHES + 4;

/** The event log in PostgreSQL's tables (migrations/log). Connects at first use. */
export function createPostgresEventLog(settings: PostgresLogSettings): EventLog {
  return new PostgresEventLog(settings);
}

class PostgresEventLog implements EventLog {
  readonly engine = 'postgres';
  readonly address: string;
  readonly #settings: PostgresLogSettings;
  readonly #log: LogConnection;
  readonly #closing = new AbortController();
  readonly #appender: Appender;
  readonly #arrivals: Arrivals;
  readonly #slots = new Slots(FETCHES);
  readonly #subscriptions = new Set<Subscription>();
  #source: ReadSource | undefined;
  #closed: Promise<void> | undefined;

  constructor(settings: PostgresLogSettings) {
    const { connectionString, topic, schema = 'user_events_log', patience } = settings;
    this.#settings = settings;
    // Everything under way waits for it; more than ten at a time are no leak.
    setMaxListeners(0, this.#closing.signal);
    this.address = `postgres://${addressOf(connectionString)}`;
    this.#log = {
      pool: createPool({ connectionString, max: CONNECTIONS, settings: sessionSettings(schema) }),
      address: this.address,
      schema,
      topic,
      patience,
      closed: this.#closing.signal,
    };
    this.#appender = new Appender(this.#log);
    this.#arrivals = new Arrivals(this.#log);
  }

  async describe(): Promise<TopicDescription> {
    return describeTopic(this.#log, await this.#patiently(() => findTopic(this.#log)));
  }

  async topicId(): Promise<string | null> {
    const { topicId } = await this.#patiently(() => findTopic(this.#log));
    return String(topicId);
  }

  async createTopic(partitionCount: number): Promise<'created' | 'exists'> {
    return this.#patiently(() => createTopic(this.#log, this.#settings.connectionString, partitionCount));
  }

  append(records: readonly NewRecord[]): Promise<readonly RecordPosition[]> {
    return this.#appender.append(records, () => this.#topic());
  }

  async watermarks(): Promise<readonly Watermarks[]> {
    const { topicId } = await this.#topic();
    return this.#patiently(() => readWatermarks(this.#log, topicId));
  }

  async offsetsAtTime(timestamp: number): Promise<ReadonlyMap<number, bigint>> {
    const { topicId } = await this.#topic();
    return this.#patiently(() => readOffsetsAtTime(this.#log, topicId, timestamp));
  }

  async *read(ranges: readonly ReadRange[], options: ReadOptions = {}): AsyncGenerator<RecordBatch, void> {
    const { follow = false, signal } = options;
    const { closed } = this.#log;
    const attempts = {
      patience: follow ? 'long' : this.#log.patience,
      signal: signal === undefined ? closed : AbortSignal.any([signal, closed]),
    } as const;
    try {
      const source = await withPatience(this.#log, attempts, () => this.#readSource());
      yield* readRanges(source, ranges, follow, attempts);
    } catch (error) {
      // Asked to end: that it was waiting for a log that is away is no error then.
      if (!attempts.signal.aborted) throw error;
    }
  }

  async committed(group: string): Promise<ReadonlyMap<number, CommittedOffset>> {
    const { topicId } = await this.#topic();
    return this.#patiently(() => readCommitted(this.#log, topicId, group));
  }

  async members(group: string): Promise<readonly GroupMember[]> {
    const { topicId } = await this.#topic();
    return this.#patiently(() => readMembers(this.#log, topicId, group));
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    const source = await this.#patiently(() => this.#readSource(), options.onTrouble);
    const { sessionTimeoutMs = 6_000 } = this.#settings;
    const subscription = new PostgresSubscription(source, this.#arrivals, options, sessionTimeoutMs);
    this.#subscriptions.add(subscription);
    const forget = (): boolean => this.#subscriptions.delete(subscription);
    subscription.ended.then(forget, forget);
    return subscription;
  }

  /** Closes its subscriptions too, and ends its reads. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()));
    this.#closing.abort();
    await Promise.all([this.#arrivals.stopped(), this.#source?.endOfLog.stopped()]);
    await this.#log.pool.end();
  }

  #patiently<T>(work: () => Promise<T>, onTrouble?: OnTrouble): Promise<T> {
    const { patience, closed } = this.#log;
    return withPatience(this.#log, { patience, signal: closed, onTrouble }, work);
  }

  async #topic(): Promise<Topic> {
    return (await this.#patiently(() => this.#readSource())).topic;
  }

  /** Once found, a topic stays: its id and its number of partitions are not asked for again. */
  async #readSource(): Promise<ReadSource> {
    if (this.#source !== undefined) return this.#source;
    const topic = await findTopic(this.#log);
    const endOfLog = new EndOfLog(this.#log, topic, this.#arrivals);
    this.#source ??= { log: this.#log, topic, endOfLog, slots: this.#slots };
    return this.#source;
  }
}

function sessionSettings(schema: string): Readonly<Record<string, string>> {
  return {
    search_path: quoteIdentifier(schema),
    bytea_output: 'hex',
    // A session whose client vanished between two statements does not hold its locks for long.
    idle_in_transaction_session_timeout: '10s',
    // Every read goes by an index, also where a plan was made while the tables were empty.
    enable_seqscan: 'off',
    enable_bitmapscan: 'off',
  };
}
