import type { Producer, RecordMetadata } from 'kafkajs';
import { partitionFor } from '../../domain/partitioner.ts';
import type { NewRecord } from '../../domain/record.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { RecordPosition } from '../event-log.ts';
import type { KafkaAdmin } from './admin.ts';
import { chunksOf, recordBytes, type Chunk } from './chunks.ts';
import { createKafkaClient, type KafkaClient } from './client.ts';
import { isTransient, translateError, type Destination } from './errors.ts';
import { PartitionRecords } from './partition-records.ts';
import { waitMs, waitOrEnd, withDeadline } from './patience.ts';
import type { KafkaSettings } from './settings.ts';
import { isTopicGone } from './topic-gone.ts';

/** 1,000 of one partition measured best with the fast codec: half the requests of 500, and 2,000 are no faster. */
const LIMITS = { maxRecords: 1_000, maxBytes: 900_000, maxSpread: 16_000 };

/** The append path: one idempotent producer, one request at a time. */
export class KafkaAppender {
  readonly #settings: KafkaSettings;
  readonly #to: Destination;
  readonly #admin: KafkaAdmin;
  readonly #closed: AbortSignal;
  #connection: { client: KafkaClient; producer: Producer } | undefined;
  /** Settles when the call before has: two requests at once corrupt the producer's sequence numbers. */
  #turn: Promise<unknown> = Promise.resolve();
  #turnOfKeyless = 0;

  constructor(settings: KafkaSettings, to: Destination, admin: KafkaAdmin, closed: AbortSignal) {
    this.#settings = settings;
    this.#to = to;
    this.#admin = admin;
    this.#closed = closed;
  }

  /** As the port's `append` says. */
  append(records: readonly NewRecord[]): Promise<readonly RecordPosition[]> {
    const turn = this.#turn.then(() => this.#append(records));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.client.sockets.close();
    await connection?.producer.disconnect();
  }

  async #append(records: readonly NewRecord[]): Promise<readonly RecordPosition[]> {
    const positions: RecordPosition[] = [];
    try {
      // Asked first: without the topic kafkajs's producer tries for ten seconds.
      const partitionCount = await this.#admin.partitionCount();
      if (records.length === 0) await this.#connected();
      const partitions = records.map((record) => this.#partitionOf(record, partitionCount));
      for (const chunk of chunksOf(records, partitions, LIMITS)) {
        await this.#send(chunk, records, positions);
      }
    } catch (error) {
      // What became of the last request is not known, and the next one must not go out under its numbers.
      this.#drop();
      throw withAppended(translateError(error, this.#to), positions);
    }
    return positions;
  }

  #partitionOf({ partition, key }: NewRecord, partitionCount: number): number {
    if (partition === undefined) {
      return key === null ? this.#turnOfKeyless++ % partitionCount : partitionFor(key, partitionCount);
    }
    if (Number.isInteger(partition) && partition >= 0 && partition < partitionCount) return partition;
    const { address, topic } = this.#to;
    throw new UserEventsError('LOG_REFUSED', `Topic ${topic} at ${address} has no partition ${partition}`, {
      hint: `Its partitions are 0 to ${partitionCount - 1}.`,
      facts: { partition },
    });
  }

  /** Sends a chunk and enters its positions; one that is too large for the topic goes in halves. */
  async #send(chunk: Chunk, records: readonly NewRecord[], positions: RecordPosition[]): Promise<void> {
    const { partition, indexes } = chunk;
    const chunkRecords = indexes.map((index) => recordAt(records, index));
    try {
      const baseOffset = await this.#sendMessages(new PartitionRecords(chunkRecords, partition, Date.now()));
      for (const [at, index] of indexes.entries()) {
        positions[index] = { partition, offset: baseOffset + BigInt(at) };
      }
    } catch (error) {
      const translated = translateError(error, this.#to);
      if (translated.code !== 'RECORD_TOO_LARGE') throw error;
      const [first] = indexes;
      if (first === undefined || indexes.length === 1) throw tooLarge(translated, first, records);
      const half = Math.ceil(indexes.length / 2);
      await this.#send({ partition, indexes: indexes.slice(0, half) }, records, positions);
      await this.#send({ partition, indexes: indexes.slice(half) }, records, positions);
    }
  }

  /** Returns the offset of the first. The same messages sent again by the same producer are in the log once. */
  async #sendMessages(messages: PartitionRecords): Promise<bigint> {
    for (let failures = 0; ;) {
      try {
        if (this.#settings.patience === 'long') return await this.#request(messages);
        return await withDeadline(() => this.#request(messages), this.#to);
      } catch (error) {
        if (this.#settings.patience === 'short' || !(await this.#passes(error))) throw error;
        failures += 1;
        await waitOrEnd(waitMs(failures), this.#closed, this.#to);
      }
    }
  }

  /** Whether a failure passes: a topic that the broker does not know counts as late until it is sure to be gone. */
  async #passes(error: unknown): Promise<boolean> {
    if (isTransient(error)) return true;
    const isTopicMissing = translateError(error, this.#to).code === 'TOPIC_NOT_FOUND';
    return isTopicMissing && !(await isTopicGone(this.#admin, this.#to, this.#closed));
  }

  async #request(messages: PartitionRecords): Promise<bigint> {
    let answer = await this.#answer(messages);
    if (answer === undefined) {
      // Nothing was sent: kafkajs has not heard of a partition that was added since, and would not for minutes.
      this.#drop();
      answer = await this.#answer(messages);
    }
    if (answer?.baseOffset === undefined || answer.baseOffset.startsWith('-')) {
      throw new UserEventsError(
        'LOG_REFUSED',
        `Kafka at ${this.#to.address} did not say where the records are`,
      );
    }
    return BigInt(answer.baseOffset);
  }

  async #answer(messages: PartitionRecords): Promise<RecordMetadata | undefined> {
    const producer = await this.#connected();
    return (await producer.sendBatch({ topicMessages: [{ topic: this.#settings.topic, messages }] }))[0];
  }

  async #connected(): Promise<Producer> {
    this.#closed.throwIfAborted();
    const connection = (this.#connection ??= this.#create());
    await connection.producer.connect();
    return connection.producer;
  }

  /** A short client in both cases: what is ridden out is sent again from here, where the topic can be asked about. */
  #create(): { client: KafkaClient; producer: Producer } {
    const client = createKafkaClient(this.#settings, 'short');
    const producer = client.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      // Never asked: the records come by partition. Without one kafkajs warns of its default.
      createPartitioner: () => () => 0,
    });
    producer.on(producer.events.REQUEST_TIMEOUT, () => client.sockets.drop('no answer'));
    return { client, producer };
  }

  #drop(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.client.sockets.close();
    connection?.producer.disconnect().catch(() => undefined);
  }
}

function recordAt(records: readonly NewRecord[], index: number): NewRecord {
  const record = records[index];
  if (record === undefined) throw new RangeError(`There is no record ${index}`);
  return record;
}

function tooLarge(
  error: UserEventsError,
  index: number | undefined,
  records: readonly NewRecord[],
): UserEventsError {
  const bytes = index === undefined ? undefined : recordBytes(recordAt(records, index));
  return new UserEventsError(error.code, error.message, { cause: error.cause, facts: { index, bytes } });
}

/** Adds how many records from the first on are in. `positions` has holes where records were not acknowledged. */
function withAppended(error: UserEventsError, positions: readonly RecordPosition[]): UserEventsError {
  let appended = 0;
  while (positions[appended] !== undefined) appended += 1;
  const { code, message, hint, cause, facts } = error;
  return new UserEventsError(code, message, { hint, cause, facts: { ...facts, appended } });
}
