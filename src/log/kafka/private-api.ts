/**
 * What kafkajs 2.2.4 has and does not export: its cluster, with which partitions are read without a group, and
 * through which every fetch of a consumer goes. Typed here for just what is used, and checked when it is taken, so
 * that another version of kafkajs fails with a clear error and not far from here.
 */
import type { Kafka } from 'kafkajs';
import { UserEventsError } from '../../errors/user-events-error.ts';

export interface FetchRequest {
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      /** Decimal. */
      readonly fetchOffset: string;
      readonly maxBytes: number;
    }[];
  }[];
  /** 1: read committed. */
  readonly isolationLevel: 0 | 1;
  readonly maxWaitTime: number;
  readonly minBytes: number;
  readonly maxBytes: number;
}

/** A record as kafkajs decodes it, control records and those of aborted transactions among them. */
export interface FetchedMessage {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly isControlRecord?: boolean;
  /** The record batch around it; absent in the formats before Kafka 0.11. */
  readonly batchContext?: {
    readonly firstOffset: string;
    readonly lastOffsetDelta: number;
    readonly producerId: string;
    readonly inTransaction: boolean;
  };
}

export interface FetchedPartition {
  readonly partition: number;
  readonly highWatermark: string;
  /** The end of what is decided, for readers of committed records; absent in protocol versions before 4. */
  readonly lastStableOffset?: string;
  /** Null, or in the order of `firstOffset`. */
  readonly abortedTransactions?:
    readonly { readonly producerId: string; readonly firstOffset: string }[] | null;
  readonly messages: readonly FetchedMessage[];
}

export interface FetchResponse {
  readonly throttleTime?: number;
  /** For how long the broker wants no more requests, ms. */
  readonly clientSideThrottleTime?: number;
  readonly errorCode?: number;
  readonly sessionId?: number;
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly FetchedPartition[];
  }[];
}

/** A request of our own: kafkajs puts request header 1 before what `encode` gives, and takes response header 0 off. */
export interface ProtocolCall<T> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    readonly encode: () => Promise<{ readonly buf: Buffer; readonly buffer: Buffer }>;
  };
  readonly response: {
    readonly decode: (bytes: Buffer) => Promise<Buffer>;
    readonly parse: (decoded: Buffer) => Promise<T>;
  };
}

export interface KafkaBroker {
  /** By API key, what the broker understands; null before it was asked. */
  readonly versions: Readonly<Record<number, { readonly maxVersion: number }>> | null;
  readonly connectionPool: { send<T>(call: ProtocolCall<T>): Promise<T> };
  fetch(request: FetchRequest): Promise<FetchResponse>;
}

export interface KafkaCluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  /** Reads the topic's metadata. */
  addTargetTopic(topic: string): Promise<void>;
  /** Node id → partitions it leads, of the metadata read last. */
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Readonly<Record<string, number[]>>;
  findBroker(node: { readonly nodeId: string | number }): Promise<KafkaBroker>;
}

type CreateCluster = (options: object) => KafkaCluster;

/** The event's name within kafkajs; producers, consumers and admins have it under names of their own. */
const REQUEST_TIMEOUT = 'network.request_timeout';
const CREATE_CLUSTER = 'private:Kafka:createCluster';
const CLUSTER_METHODS = ['connect', 'disconnect', 'addTargetTopic', 'findLeaderForPartitions', 'findBroker'];
/** As kafkajs's producer and consumer have it. */
const METADATA_MAX_AGE_MS = 300_000;

/** A cluster of this client, not yet connected. `onRequestTimeout` is told of requests without an answer. */
export function createCluster(kafka: Kafka, onRequestTimeout: () => void): KafkaCluster {
  return creatorOf(kafka).create({
    metadataMaxAge: METADATA_MAX_AGE_MS,
    allowAutoTopicCreation: false,
    instrumentationEmitter: {
      emit: (event: string) => {
        if (event === REQUEST_TIMEOUT) onRequestTimeout();
      },
    },
  });
}

/** Puts `around` around every fetch that consumers made by this client do from now on. */
export function interceptFetches(
  kafka: Kafka,
  around: (
    request: FetchRequest,
    fetch: (request: FetchRequest) => Promise<FetchResponse>,
    broker: KafkaBroker,
  ) => Promise<FetchResponse>,
): void {
  const intercepted = new WeakSet<KafkaBroker>();
  decorateClusters(kafka, (cluster) => {
    const findBroker = cluster.findBroker.bind(cluster);
    cluster.findBroker = async (node) => {
      const broker = await findBroker(node);
      if (!intercepted.has(broker)) {
        intercepted.add(broker);
        const fetch = broker.fetch.bind(broker);
        broker.fetch = (request) => around(request, fetch, broker);
      }
      return broker;
    };
  });
}

/** Whether this client makes its clusters where the functions of this file look for it. */
export function hasClusters(kafka: Kafka): boolean {
  return findCreator(kafka) !== undefined;
}

/** Shows `decorate` every cluster that this client makes from now on, before it connects. */
export function decorateClusters(kafka: Kafka, decorate: (cluster: KafkaCluster) => void): void {
  const { symbol, create } = creatorOf(kafka);
  const createDecorated: CreateCluster = (options) => {
    const cluster = create(options);
    decorate(cluster);
    return cluster;
  };
  Object.defineProperty(kafka, symbol, { value: createDecorated, writable: true, configurable: true });
}

function findCreator(kafka: Kafka) {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === CREATE_CLUSTER,
  );
  const create: unknown = symbol === undefined ? undefined : Reflect.get(kafka, symbol);
  return symbol === undefined || typeof create !== 'function' ? undefined : { symbol, create };
}

function creatorOf(kafka: Kafka): { symbol: symbol; create: CreateCluster } {
  const found = findCreator(kafka);
  if (found === undefined) throw unknownVersion(CREATE_CLUSTER);
  const { symbol, create } = found;
  return {
    symbol,
    create: (options) => {
      const cluster: unknown = Reflect.apply(create, kafka, [options]);
      if (!isCluster(cluster)) throw unknownVersion(CLUSTER_METHODS.join(', '));
      return cluster;
    },
  };
}

function isCluster(value: unknown): value is KafkaCluster {
  if (typeof value !== 'object' || value === null) return false;
  return CLUSTER_METHODS.every((method) => typeof Reflect.get(value, method) === 'function');
}

function unknownVersion(missing: string): UserEventsError {
  return new UserEventsError(
    'UNEXPECTED',
    `This version of kafkajs lacks what the log reads with: ${missing}`,
    {
      hint: 'Install the version of kafkajs that package.json pins (2.2.4).',
    },
  );
}
