import { randomUUID } from 'node:crypto';

import { partitionFor } from '../../domain/partitioner.ts';
import type { NewRecord } from '../../domain/record.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import { int2Array, int8ArrayOfNumbers, textArray } from '../../postgres/binary-array.ts';
import type { RecordPosition } from '../event-log.ts';
import { query, withPatience, type LogConnection } from './connection.ts';
import { noSuchPartition } from './errors.ts';
import { byteaArrayLiteral, textArrayLiteral } from './text-arrays.ts';
import type { Topic } from './topic.ts';

/** One transaction: more gains nothing, and the row locks of the partitions are held that much longer. */
const CHUNK_RECORDS = 2_000;
const CHUNK_BYTES = 4_000_000;
/** Key, value and headers. Below what Kafka accepts by default (max.message.bytes 1,048,588), where `relay` sends it. */
const RECORD_BYTES = 1_000_000;

/** A record with its partition, counted. */
interface PlacedRecord {
  readonly record: NewRecord;
  readonly partition: number;
  readonly bytes: number;
}

/** The append path of one log: one call at a time, whole chunks of it in one transaction each. */
export class Appender {
  readonly #log: LogConnection;
  readonly #producerId = randomUUID();
  /** Of the last statement that appended. */
  #number = 0;
  #turn: Promise<unknown> = Promise.resolve();
  #turnOfKeyless = 0;

  constructor(log: LogConnection) {
    this.#log = log;
  }

  /** As the port's `append` says. Throws LOG_REFUSED for a partition that is not there, RECORD_TOO_LARGE. */
  append(records: readonly NewRecord[], findTopic: () => Promise<Topic>): Promise<readonly RecordPosition[]> {
    const turn = this.#turn.then(() => this.#append(records, findTopic));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #append(
    records: readonly NewRecord[],
    findTopic: () => Promise<Topic>,
  ): Promise<readonly RecordPosition[]> {
    if (records.length === 0) return [];
    const positions: RecordPosition[] = [];
    try {
      const topic = await findTopic();
      const placed = records.map((record) => this.#place(record, topic));
      for (const chunk of chunksOf(placed)) positions.push(...(await this.#appendChunk(topic, chunk)));
      return positions;
    } catch (error) {
      throw withAppended(error, positions.length);
    }
  }

  #place(record: NewRecord, { partitionCount }: Topic): PlacedRecord {
    const bytes = sizeOf(record);
    if (bytes > RECORD_BYTES) {
      throw new UserEventsError(
        'RECORD_TOO_LARGE',
        `A record of ${String(bytes)} bytes is larger than the ${String(RECORD_BYTES)} that the log in PostgreSQL takes`,
        { hint: 'Make the event smaller.' },
      );
    }
    const { partition, key } = record;
    if (partition === undefined) {
      const chosen =
        key === null ? this.#turnOfKeyless++ % partitionCount : partitionFor(key, partitionCount);
      return { record, partition: chosen, bytes };
    }
    if (Number.isInteger(partition) && partition >= 0 && partition < partitionCount) {
      return { record, partition, bytes };
    }
    throw noSuchPartition(this.#log, partition, partitionCount);
  }

  async #appendChunk(topic: Topic, chunk: readonly PlacedRecord[]): Promise<readonly RecordPosition[]> {
    const { patience, closed } = this.#log;
    this.#number += 1;
    const statement = {
      name: 'append-records',
      text: APPEND,
      values: [this.#producerId, this.#number, ...parametersOf(topic, chunk)],
    };
    const rows = await withPatience(this.#log, { patience, signal: closed }, () =>
      query<{ partition: number; firstOffset: bigint }>(this.#log, statement),
    );
    const next = new Map(rows.map(({ partition, firstOffset }) => [partition, firstOffset]));
    return chunk.map(({ partition }) => {
      const offset = next.get(partition) ?? 0n;
      next.set(partition, offset + 1n);
      return { partition, offset };
    });
  }
}

/**
 * See append_records in migrations/log: rows, locks. One statement, so that no lock is held across a round trip; its
 * number makes it safe to repeat when its answer was lost.
 */
const APPEND = `
  select partition, first_offset as "firstOffset"
  from append_records($1, $2, $3, $4::int2[]::int[], $5::int8[], $6::bytea[], $7::bytea[], $8::text[], $9::text[])`;

/** One array a column, each one parameter. */
function parametersOf({ topicId }: Topic, chunk: readonly PlacedRecord[]): readonly unknown[] {
  const records = chunk.map(({ record }) => record);
  return [
    topicId,
    int2Array(chunk.map(({ partition }) => partition)),
    int8ArrayOfNumbers(records.map(({ timestamp }) => timestamp ?? null)),
    byteaArrayLiteral(records.map(({ key }) => key)),
    byteaArrayLiteral(records.map(({ value }) => value)),
    textArray(records.map(({ headers }) => textArrayLiteral(headers.map(({ key }) => key)))),
    textArray(records.map(({ headers }) => byteaArrayLiteral(headers.map(({ value }) => value)))),
  ];
}

function* chunksOf(placed: readonly PlacedRecord[]): Generator<readonly PlacedRecord[]> {
  let chunk: PlacedRecord[] = [];
  let bytes = 0;
  for (const each of placed) {
    if (chunk.length > 0 && (chunk.length === CHUNK_RECORDS || bytes + each.bytes > CHUNK_BYTES)) {
      yield chunk;
      [chunk, bytes] = [[], 0];
    }
    chunk.push(each);
    bytes += each.bytes;
  }
  yield chunk;
}

function sizeOf({ key, value, headers }: NewRecord): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0);
  for (const header of headers) bytes += header.key.length + (header.value?.length ?? 0);
  return bytes;
}

/** Says how many records of the input, from the first on, are known to be in the log. */
function withAppended(error: unknown, appended: number): Error {
  if (error instanceof UserEventsError) {
    const { code, message, hint, cause, facts } = error;
    return new UserEventsError(code, message, { hint, cause, facts: { ...facts, appended } });
  }
  return error instanceof Error ? error : new Error(String(error), { cause: error });
}
