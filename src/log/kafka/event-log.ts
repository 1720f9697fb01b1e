import type { NewRecord } from '../../domain/record.ts';
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
import { KafkaAdmin } from './admin.ts';
import type { Destination } from './errors.ts';
import { KafkaAppender } from './producer.ts';
import { readRanges } from './reader.ts';
import type { KafkaSettings } from './settings.ts';
import { subscribe } from './subscription.ts';

/** The event log in Kafka. Nothing is connected before it is used. */
export function createKafkaEventLog(settings: KafkaSettings): EventLog {
  return new KafkaEventLog(settings);
}

class KafkaEventLog implements EventLog {
  readonly engine = 'kafka';
  readonly address: string;
  readonly #settings: KafkaSettings;
  readonly #to: Destination;
  readonly #closing = new AbortController();
  readonly #admin: KafkaAdmin;
  readonly #appender: KafkaAppender;
  readonly #subscriptions = new Set<Subscription>();

  constructor(settings: KafkaSettings) {
    this.#settings = settings;
    this.address = settings.brokers.join(',');
    this.#to = { address: this.address, topic: settings.topic };
    this.#admin = new KafkaAdmin(settings, this.#to, this.#closing.signal);
    this.#appender = new KafkaAppender(settings, this.#to, this.#admin, this.#closing.signal);
  }

  describe(): Promise<TopicDescription> {
    return this.#admin.describe();
  }

  topicId(): Promise<string | null> {
    return this.#admin.topicId();
  }

  createTopic(partitionCount: number): Promise<'created' | 'exists'> {
    return this.#admin.createTopic(partitionCount);
  }

  append(records: readonly NewRecord[]): Promise<readonly RecordPosition[]> {
    return this.#appender.append(records);
  }

  watermarks(): Promise<readonly Watermarks[]> {
    return this.#admin.watermarks();
  }

  offsetsAtTime(timestamp: number): Promise<ReadonlyMap<number, bigint>> {
    return this.#admin.offsetsAtTime(timestamp);
  }

  read(ranges: readonly ReadRange[], options: ReadOptions = {}): AsyncIterable<RecordBatch> {
    const { signal } = options;
    const ends =
      signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
    return readRanges(
      { settings: this.#settings, to: this.#to, admin: this.#admin },
      ranges,
      options.follow ?? false,
      ends,
    );
  }

  committed(group: string): Promise<ReadonlyMap<number, CommittedOffset>> {
    return this.#admin.committed(group);
  }

  members(group: string): Promise<readonly GroupMember[]> {
    return this.#admin.members(group);
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    const log = { settings: this.#settings, to: this.#to, admin: this.#admin };
    const subscription = await subscribe(log, options);
    if (this.#closing.signal.aborted) await subscription.close();
    this.#subscriptions.add(subscription);
    const forget = () => this.#subscriptions.delete(subscription);
    subscription.ended.then(forget, forget);
    return subscription;
  }

  /** Closes its subscriptions too, and ends its reads. */
  async close(): Promise<void> {
    this.#closing.abort();
    const subscriptions = [...this.#subscriptions].map((subscription) => subscription.close());
    await Promise.all([...subscriptions, this.#appender.close()]);
    this.#admin.close();
  }
}
