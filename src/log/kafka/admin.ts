import type { Admin } from 'kafkajs';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { CommittedOffset, GroupMember, TopicDescription, Watermarks } from '../event-log.ts';
import { createKafkaClient, type KafkaClient } from './client.ts';
import { hasType, type Destination } from './errors.ts';
import { readMembers } from './members.ts';
import { waitOrEnd, withPatience, type Attempts } from './patience.ts';
import { createCluster } from './private-api.ts';
import type { KafkaSettings } from './settings.ts';
import { readTopicId } from './topic-id.ts';

/** How long a topic that was made may take until every broker asked tells of it. */
const TOPIC_VISIBLE_MS = 10_000;
const TOPIC_POLL_MS = 50;

interface Connection {
  readonly client: KafkaClient;
  readonly admin: Admin;
}

type Question<T> = (admin: Admin, client: KafkaClient) => Promise<T>;

/**
 * Everything that is asked of the cluster beside records. Its clients are short ones, and where the log is to be
 * ridden out the question is asked again: kafkajs's own long retries wait for a topic that is gone, too.
 */
export class KafkaAdmin {
  readonly #settings: KafkaSettings;
  readonly #to: Destination;
  readonly #closed: AbortSignal;
  #idle: Connection | undefined;

  constructor(settings: KafkaSettings, to: Destination, closed: AbortSignal) {
    this.#settings = settings;
    this.#to = to;
    this.#closed = closed;
  }

  /** Throws TOPIC_NOT_FOUND at once where there is none. `attempts` overrides the settings' patience. */
  async partitionCount(attempts: Partial<Attempts> = {}): Promise<number> {
    const { topic } = this.#settings;
    const { topics } = await this.#ask((admin) => admin.fetchTopicMetadata({ topics: [topic] }), attempts);
    const partitions = topics.find(({ name }) => name === topic)?.partitions ?? [];
    if (partitions.length > 0) return partitions.length;
    throw this.#missing();
  }

  async describe(): Promise<TopicDescription> {
    const partitionCount = await this.partitionCount();
    const { clusterId } = await this.#ask((admin) => admin.describeCluster());
    return { clusterId, topic: this.#settings.topic, partitionCount };
  }

  /** Throws TOPIC_NOT_FOUND. */
  topicId(): Promise<string | null> {
    return this.#ask((_, client) => this.#topicId(client));
  }

  async createTopic(numPartitions: number): Promise<'created' | 'exists'> {
    const { topic } = this.#settings;
    // kafkajs's own waiting fails where the broker asked has not heard of the topic yet.
    const create = (replicationFactor: number) =>
      this.#ask((admin) =>
        admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions, replicationFactor }] }),
      );
    // -1: the broker's default. Brokers before 2.4 do not know it (KIP-464).
    const isNew = await create(-1).catch((error: unknown) => {
      if (hasType(error, 'INVALID_REPLICATION_FACTOR')) return create(1);
      throw error;
    });
    if (!isNew) return 'exists';
    await this.#waitUntilVisible();
    return 'created';
  }

  async watermarks(): Promise<readonly Watermarks[]> {
    // Asked first: kafkajs asks for the offsets of a topic that is missing again and again.
    await this.partitionCount();
    const offsets = await this.#ask((admin) => admin.fetchTopicOffsets(this.#settings.topic));
    return offsets
      .map(({ partition, low, high }) => ({ partition, low: BigInt(low), high: BigInt(high) }))
      .sort((a, b) => a.partition - b.partition);
  }

  async offsetsAtTime(timestamp: number): Promise<ReadonlyMap<number, bigint>> {
    await this.partitionCount();
    // Below zero are names for the log's start and end.
    const time = Math.max(0, timestamp);
    const offsets = await this.#ask((admin) =>
      admin.fetchTopicOffsetsByTimestamp(this.#settings.topic, time),
    );
    return new Map(offsets.map(({ partition, offset }) => [partition, BigInt(offset)]));
  }

  async committed(groupId: string): Promise<ReadonlyMap<number, CommittedOffset>> {
    const { topic } = this.#settings;
    const answers = await this.#ask((admin) => admin.fetchOffsets({ groupId, topics: [topic] }));
    const partitions = answers.find((answer) => answer.topic === topic)?.partitions ?? [];
    return new Map(
      partitions
        .map(({ partition, offset, metadata }) => ({
          partition,
          offset: BigInt(offset),
          metadata: metadata ?? '',
        }))
        .filter(({ offset }) => offset >= 0n)
        .map(({ partition, offset, metadata }) => [partition, { offset, metadata }]),
    );
  }

  members(groupId: string): Promise<readonly GroupMember[]> {
    const { topic } = this.#settings;
    return this.#ask(async (admin) => readMembers(await admin.describeGroups([groupId]), topic));
  }

  /** Questions under way are answered still. */
  close(): void {
    if (this.#idle !== undefined) end(this.#idle);
    this.#idle = undefined;
  }

  /** kafkajs's admin does not know topic ids: asked over a connection of its own. */
  async #topicId({ kafka, sockets }: KafkaClient): Promise<string | null> {
    const { topic } = this.#settings;
    const cluster = createCluster(kafka, () => {
      sockets.drop('no answer');
    });
    try {
      await cluster.connect();
      await cluster.addTargetTopic(topic);
      const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [0]));
      if (nodeId === undefined) return null;
      const found = await readTopicId(await cluster.findBroker({ nodeId }), topic);
      if (found === 'missing') throw this.#missing();
      return found === 'unsupported' ? null : found.id;
    } finally {
      cluster.disconnect().catch(() => undefined);
    }
  }

  #missing(): UserEventsError {
    const { address, topic } = this.#to;
    return new UserEventsError('TOPIC_NOT_FOUND', `Kafka at ${address} has no topic ${topic}`);
  }

  #ask<T>(question: Question<T>, attempts: Partial<Attempts> = {}): Promise<T> {
    const { patience } = this.#settings;
    return withPatience(() => this.#once(question), {
      patience,
      to: this.#to,
      signal: this.#closed,
      ...attempts,
    });
  }

  /**
   * Every question has a connection to itself, so that one that fails disturbs no other; it is not used again then,
   * since kafkajs keeps what it believed of the cluster.
   */
  async #once<T>(question: Question<T>): Promise<T> {
    const connection = this.#idle ?? this.#connect();
    this.#idle = undefined;
    try {
      await connection.admin.connect();
      const answer = await question(connection.admin, connection.client);
      this.#keep(connection);
      return answer;
    } catch (error) {
      end(connection);
      throw lostAnswer(error) ?? error;
    }
  }

  #keep(connection: Connection): void {
    if (this.#idle === undefined && !this.#closed.aborted) this.#idle = connection;
    else end(connection);
  }

  #connect(): Connection {
    const client = createKafkaClient(this.#settings, 'short');
    const admin = client.kafka.admin();
    admin.on(admin.events.REQUEST_TIMEOUT, () => {
      client.sockets.drop('no answer');
    });
    return { client, admin };
  }

  async #waitUntilVisible(): Promise<void> {
    const start = performance.now();
    for (;;) {
      try {
        await this.partitionCount();
        return;
      } catch (error) {
        const isLate = error instanceof UserEventsError && error.code === 'TOPIC_NOT_FOUND';
        if (!isLate || performance.now() - start > TOPIC_VISIBLE_MS) throw error;
        await waitOrEnd(TOPIC_POLL_MS, this.#closed, this.#to);
      }
    }
  }
}

function end({ client, admin }: Connection): void {
  client.sockets.close();
  admin.disconnect().catch(() => undefined);
}

/**
 * kafkajs swallows the error of a broker that goes away during a question about metadata and reads the properties of
 * null: a TypeError, of which nothing but this is known to be the cause.
 */
function lostAnswer(error: unknown): UserEventsError | undefined {
  if (!(error instanceof TypeError)) return undefined;
  return new UserEventsError('LOG_UNREACHABLE', 'Kafka went away while it was asked', { cause: error });
}
