import kafkajs from 'kafkajs';
import type { KafkaBroker } from './private-api.ts';

/** The protocol's Metadata request, in the first version that tells topic ids (KIP-516: brokers from 2.8 on). */
const METADATA = { apiKey: 3, apiVersion: 10, apiName: 'Metadata' };
/** Of authorized operations nothing is asked; a topic that is missing is not made; no tagged fields. */
const NOT_CREATED_NOR_AUTHORIZED = Buffer.from([0, 0, 0, 0]);
const NO_TAGGED_FIELDS = Buffer.from([0]);
const ID_BYTES = 16;
const UNKNOWN_TOPIC_OR_PARTITION = 3;
/** What a broker may answer about a topic instead (org.apache.kafka.common.protocol.Errors); others have no name here. */
const TOPIC_ERRORS: ReadonlyMap<number, { readonly type: string; readonly retriable: boolean }> = new Map([
  [5, { type: 'LEADER_NOT_AVAILABLE', retriable: true }],
  [7, { type: 'REQUEST_TIMED_OUT', retriable: true }],
  [9, { type: 'REPLICA_NOT_AVAILABLE', retriable: true }],
  [13, { type: 'NETWORK_EXCEPTION', retriable: true }],
  [29, { type: 'TOPIC_AUTHORIZATION_FAILED', retriable: false }],
  [72, { type: 'LISTENER_NOT_FOUND', retriable: true }],
]);

/** `unsupported`: the broker is too old to know ids. `missing`: it has no such topic at this moment. */
export type TopicId = { readonly id: string } | 'unsupported' | 'missing';

/**
 * Asks one broker for the id of a topic: a UUID that never comes back, so that a topic made anew under the same name
 * has another one. A broker knows of a new topic before it serves records of it (KRaft publishes an image to its
 * metadata cache first): what was fetched from a broker that answers with an id afterwards is of that topic or of none
 * before it. Throws kafkajs's errors: of a lost connection, and of the protocol where the broker answers with one,
 * so that what passes is tried again as it is for any other request.
 */
export async function readTopicId(broker: KafkaBroker, topic: string): Promise<TopicId> {
  const { maxVersion } = broker.versions?.[METADATA.apiKey] ?? { maxVersion: 0 };
  if (maxVersion < METADATA.apiVersion) return 'unsupported';
  const body = encodeRequest(topic);
  return broker.connectionPool.send({
    // kafkajs's own encoder has its bytes under both names.
    request: { ...METADATA, encode: () => Promise.resolve({ buf: body, buffer: body }) },
    response: {
      decode: (bytes) => Promise.resolve(bytes),
      parse: (bytes) => Promise.resolve(parseResponse(bytes)),
    },
  });
}

/**
 * `topics [topic_id, name, tags], allow_auto_topic_creation, include_…_operations (2), tags`, in the compact forms of
 * the flexible versions, behind the one byte that request header 2 has more than kafkajs's header 1.
 */
function encodeRequest(topic: string): Buffer {
  const name = Buffer.from(topic);
  return Buffer.concat([
    NO_TAGGED_FIELDS,
    unsignedVarint(2),
    Buffer.alloc(ID_BYTES),
    unsignedVarint(name.length + 1),
    name,
    NO_TAGGED_FIELDS,
    NOT_CREATED_NOR_AUTHORIZED,
  ]);
}

function parseResponse(bytes: Buffer): TopicId {
  const answer = new FlexibleReader(bytes);
  answer.skipTaggedFields();
  answer.skip(4);
  for (let brokers = answer.compactLength(); brokers > 0; brokers -= 1) {
    answer.skip(4);
    answer.skip(answer.compactLength());
    answer.skip(4);
    answer.skip(answer.compactLength());
    answer.skipTaggedFields();
  }
  answer.skip(answer.compactLength());
  answer.skip(4);
  if (answer.compactLength() < 1) return 'missing';
  const errorCode = answer.int16();
  if (errorCode === UNKNOWN_TOPIC_OR_PARTITION) return 'missing';
  answer.skip(answer.compactLength());
  const id = answer.uuid();
  // Elections under way (LEADER_NOT_AVAILABLE) are told with the id.
  if (/[^0-]/.test(id)) return { id };
  // A cluster with ZooKeeper whose brokers speak an older protocol among themselves (a rolling upgrade) knows no ids.
  if (errorCode === 0) return 'unsupported';
  throw protocolError(errorCode);
}

/** As kafkajs makes it of an answer that it reads itself. */
function protocolError(code: number): Error {
  const known = TOPIC_ERRORS.get(code) ?? { type: `error ${String(code)}`, retriable: false };
  const told = new Error(`Kafka did not tell the id of a topic: ${known.type}`);
  return new kafkajs.KafkaJSProtocolError(Object.assign(told, { code, ...known }));
}

function unsignedVarint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

/** Reads the compact forms of the protocol's flexible versions (KIP-482), in order. */
class FlexibleReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  skip(count: number): void {
    this.#at += count;
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  uuid(): string {
    this.#at += ID_BYTES;
    const hex = this.#bytes.toString('hex', this.#at - ID_BYTES, this.#at);
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }

  /** The length of a string or array; 0 where it is null. */
  compactLength(): number {
    return Math.max(0, this.#unsignedVarint() - 1);
  }

  skipTaggedFields(): void {
    for (let fields = this.#unsignedVarint(); fields > 0; fields -= 1) {
      this.#unsignedVarint();
      this.skip(this.#unsignedVarint());
    }
  }

  #unsignedVarint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes.readUInt8(this.#at++);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }
}
