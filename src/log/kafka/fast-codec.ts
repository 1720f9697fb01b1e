import { createRequire } from 'node:module';
import type { Kafka } from 'kafkajs';
import { fastFetch } from './fast-fetch.ts';
import { fastProduce } from './fast-produce.ts';
import { decorateClusters, hasClusters } from './private-api.ts';
import type { CodecUse, Protocol } from './protocol.ts';

/** The one version of kafkajs whose inside this knows. */
const KNOWN_VERSION = '2.2.4';

export interface FastCodecOptions {
  /** Told where the codec stays off, since kafkajs is not what it knows: once, however many clients have it. */
  readonly warn: (text: string) => void;
  /** kafkajs's version. @default the version installed */
  readonly version?: string;
}

/** `options` are what the request is made from. Gives back `protocol` where it is of a version that stays kafkajs's. */
type Replacement = (protocol: Protocol, options: unknown, use: CodecUse) => Protocol;

/** By the protocol's API key. */
const REPLACEMENTS: ReadonlyMap<number, Replacement> = new Map([
  [0, fastProduce],
  [1, fastFetch],
]);

/** kafkajs's own, of a broker: a request's API → what makes such a request in the version that both sides know. */
type LookupRequest = (apiKey: number, definitions: unknown) => (options?: unknown) => Protocol;

const warned = new WeakSet<FastCodecOptions['warn']>();

type CreateBroker = (options: unknown) => object;

/**
 * Puts our record codec (wire/) into one client of kafkajs, for the producers, transactions, consumers and clusters
 * that it makes from now on: connections, metadata, groups, security and retries stay kafkajs's (ADR 0011). Nothing is
 * changed but properties of this client's own objects. Where kafkajs is not what this knows, all stays as it is and
 * `warn` is told.
 */
export function withFastCodec(
  kafka: Kafka,
  { warn, version = installedVersion() }: FastCodecOptions,
): CodecUse {
  const use: CodecUse = { encoded: 0, decoded: 0 };
  const stayOff = (why: string) => {
    if (warned.has(warn)) return;
    warned.add(warn);
    warn(`Records are read and written at kafkajs's own, slower pace: ${why}.`);
  };
  if (version !== KNOWN_VERSION) {
    stayOff(`it is kafkajs ${version}, and the fast codec knows ${KNOWN_VERSION}`);
    return use;
  }
  if (!hasClusters(kafka)) {
    stayOff("kafkajs's client has no createCluster");
    return use;
  }
  decorateClusters(kafka, (cluster) => {
    const pool: unknown = Reflect.get(cluster, 'brokerPool');
    const create: unknown = isObject(pool) ? Reflect.get(pool, 'createBroker') : undefined;
    if (!isObject(pool) || !isCreateBroker(create)) {
      stayOff("kafkajs's clusters have no brokerPool.createBroker");
      return;
    }
    Reflect.set(pool, 'createBroker', (options: unknown) => {
      const broker = create(options);
      if (!replaceRequests(broker, use)) stayOff("kafkajs's brokers have no lookupRequest");
      return broker;
    });
  });
  return use;
}

/** An accessor, since kafkajs assigns the look-up anew whenever it connects. */
function replaceRequests(broker: object, use: CodecUse): boolean {
  const own = Object.getOwnPropertyDescriptor(broker, 'lookupRequest');
  const initial: unknown = own?.value;
  if (!isLookup(initial) || own?.configurable !== true) return false;
  let lookup = replacing(initial, use);
  Object.defineProperty(broker, 'lookupRequest', {
    configurable: true,
    enumerable: true,
    get: () => lookup,
    set: (next: LookupRequest) => {
      lookup = replacing(next, use);
    },
  });
  return true;
}

function replacing(lookup: LookupRequest, use: CodecUse): LookupRequest {
  return (apiKey, definitions) => {
    const make = lookup(apiKey, definitions);
    const replace = REPLACEMENTS.get(apiKey);
    return replace === undefined ? make : (options) => replace(make(options), options, use);
  };
}

/** `unknown` where its package.json cannot be found, as in a bundle. */
function installedVersion(): string {
  try {
    const manifest: unknown = createRequire(import.meta.url)('kafkajs/package.json');
    const version: unknown = isObject(manifest) ? Reflect.get(manifest, 'version') : undefined;
    return typeof version === 'string' ? version : 'unknown';
  } catch {
    return 'unknown';
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isCreateBroker(value: unknown): value is CreateBroker {
  return typeof value === 'function';
}

function isLookup(value: unknown): value is LookupRequest {
  return typeof value === 'function';
}
