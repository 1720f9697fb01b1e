import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { ConsumeObserver } from '../../src/app/consume/consume-options.ts';
import type { ConsumerView } from '../../src/app/consume/consumer-view.ts';
import { readPlaces } from '../../src/app/log/read-places.ts';
import { OWN_HEADER } from '../../src/domain/dead-letter-headers.ts';
import { ownHeaders, readDeadLetter } from '../../src/domain/dead-letter.ts';
import type { LogRecord, NewRecord } from '../../src/domain/record.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { readUnwritten } from '../../src/postgres/sql/read-unwritten.ts';
import { prepareUsers } from '../support/apply-harness.ts';
import { startConsumer, waitUntilDecided, type InProcessConsumer } from '../support/consumer-harness.ts';
import { header, putBackAll } from '../support/dead-letter-harness.ts';
import { describeKafka, kafkaBrokers } from '../support/describe-kafka.ts';
import { describeEachLog, readAllRecords } from '../support/each-log.ts';
import { uniqueName } from '../support/names.ts';
import { topicAdmin } from '../support/topic-admin.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(60_000);

const SILENT: ConsumeObserver = {
  onStarted: () => undefined,
  onApplied: () => undefined,
  onFailed: () => undefined,
  onAssigned: () => undefined,
  onKeyless: () => undefined,
  onPositionLost: () => undefined,
  onUnevenGrowth: () => undefined,
  onTrouble: () => undefined,
};

/** A record that no consumer can read. */
const unreadable = (userId: string, value: string, more: readonly NewRecord['headers'][number][] = []) => ({
  key: Buffer.from(userId),
  value: Buffer.from(value),
  headers: [header('own', 'kept'), ...more],
});

describeEachLog('the writer of dead letters', ({ database, open }) => {
  let log: EventLog;
  let letters: EventLog;
  const consumers: InProcessConsumer[] = [];

  beforeEach(async () => {
    const { pool, schema } = database();
    await pool.query('drop table if exists public.users cascade');
    const tables = ['ledger', 'position', 'attempt', 'binding', 'gap', 'put_back'];
    await pool.query(`truncate ${tables.map((table) => `${schema}.${table}`).join(', ')}`);
    await prepareUsers(database());
    log = await open(1);
    letters = await open(1);
  });
  afterEach(async () => {
    await Promise.all(consumers.splice(0).map((consumer) => consumer.stop().catch(() => undefined)));
  });

  function consume(settings: Parameters<typeof startConsumer>[2] = {}): InProcessConsumer {
    const consumer = startConsumer(log, database(), { group: 'letters', ...settings });
    consumers.push(consumer);
    return consumer;
  }

  /** The letters, once there are so many. */
  async function untilLetters(count: number, consumer: InProcessConsumer): Promise<readonly LogRecord[]> {
    let records: readonly LogRecord[] = [];
    await waitFor(async () => (records = await readAllRecords(letters)).length >= count, {
      timeoutMs: 30_000,
      describe: () => `${String(count)} letters; it threw ${String(consumer.error())}`,
    });
    return records;
  }

  const markedCount = async (): Promise<number> => {
    const { pool, schema } = database();
    const { rows } = await pool.query(`select from ${schema}.ledger where dead_lettered_at is not null`);
    return rows.length;
  };

  /** Fails events while there is nobody who writes letters. */
  async function failWithoutLetters(records: readonly NewRecord[]): Promise<void> {
    await log.append(records);
    const consumer = consume();
    await waitUntilDecided(log, database(), consumer);
    await consumer.stop();
  }

  test('a record as large as the topic takes goes without its value and says so, and what is behind it follows', async () => {
    // PostgreSQL's log takes 1,000,000 bytes, Kafka 1,048,588 with the batch around it.
    const value = 'x'.repeat(log.engine === 'kafka' ? 1_048_300 : 999_900);
    await log.append([unreadable('u1', value), unreadable('u2', 'small')]);
    const consumer = consume({ deadLetters: letters });
    const [large, small] = await untilLetters(2, consumer);
    expect(large).toMatchObject({ key: Buffer.from('u1'), value: null });
    expect(large?.headers).toContainEqual(header(OWN_HEADER.leftOut, 'value'));
    expect(ownHeaders(large?.headers ?? [])).toEqual([header('own', 'kept')]);
    expect(small).toMatchObject({ key: Buffer.from('u2'), value: Buffer.from('small') });
    await consumer.stop();
    expect(await markedCount()).toBe(2);
    // Nothing of a letter without its value is put back as a value that is null: the original is.
    expect(await putBackAll(log, letters, database())).toMatchObject({ putBack: 2, refused: [] });
    expect((await readAllRecords(log))[2]?.value?.length).toBe(value.length);
  });

  test('a record whose own headers are that large goes without them', async () => {
    const bytes = log.engine === 'kafka' ? 1_048_200 : 999_800;
    await log.append([unreadable('u1', 'small', [header('large', 'x'.repeat(bytes))])]);
    const [letter] = await untilLetters(1, consume({ deadLetters: letters }));
    expect(letter).toMatchObject({ key: Buffer.from('u1'), value: null });
    expect(ownHeaders(letter?.headers ?? [])).toEqual([]);
    expect(letter?.headers).toContainEqual(header(OWN_HEADER.leftOut, 'value, headers'));
  });

  test.each([
    [
      'of the topic before this one',
      (schema: string) =>
        `insert into ${schema}.gap (partition, generation, from_offset, to_offset, reason) values (0, 1, 2, 0, 'LOG_REPLACED')`,
    ],
    [
      'that is another than what lies at its offset',
      (schema: string) =>
        `update ${schema}.ledger set event_id = gen_random_uuid(), published_at = published_at - interval '1 s'
         where "offset" = 0`,
    ],
  ])('an event %s has in its letter what the ledger kept, and nothing of the log', async (_, change) => {
    // The newest row is what the log is known by.
    await failWithoutLetters([unreadable('u1', 'old'), unreadable('u1', 'newest')]);
    const { pool, schema } = database();
    await pool.query(change(schema));
    await pool.query(`update ${schema}.ledger set raw = 'kept'`);
    const [letter] = await untilLetters(2, consume({ deadLetters: letters }));
    expect(letter?.value?.toString()).toBe('kept');
    expect(ownHeaders(letter?.headers ?? [])).toEqual([]);
  });

  test('a portion is bound by the bytes of its values', async () => {
    await failWithoutLetters(['a', 'b', 'c', 'd'].map((name) => unreadable(name, name.repeat(1_000))));
    const { pool, schema } = database();
    const read = async (bytes: number) => {
      const due = await readUnwritten(pool, schema, [0], { letters: 3, bytes });
      return due.map(({ value }) => value?.toString()[0]);
    };
    expect(await read(1)).toEqual(['a']);
    expect(await read(1_500)).toEqual(['a', 'b']);
    expect(await read(1e6)).toEqual(['a', 'b', 'c']);
  });

  test('a topic that does not answer keeps nobody from stopping, and the next consumer writes the letter', async () => {
    const append = letters.append.bind(letters);
    let isAsked = false;
    letters.append = () => {
      isAsked = true;
      return new Promise(() => undefined);
    };
    await log.append([unreadable('u1', 'x')]);
    const consumer = consume({ deadLetters: letters });
    await waitFor(() => Promise.resolve(isAsked), { describe: () => 'the letter to be under way' });
    await consumer.stop();
    expect(consumer.troubles).toContainEqual(expect.stringContaining('dead letters does not answer'));
    letters.append = append;
    await untilLetters(1, consume({ deadLetters: letters }));
  });

  test('a partition is handed on when the letters of it under way are marked', async () => {
    log = await open(2);
    await failWithoutLetters([0, 1].map((partition) => ({ ...unreadable('u1', 'x'), partition })));
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const append = letters.append.bind(letters);
    let asked = 0;
    letters.append = async (records) => {
      asked += records.length;
      await released;
      return append(records);
    };
    let view: ConsumerView | undefined;
    const isStillOurs = (partitions: readonly number[]): boolean =>
      view?.partitions.some(({ partition }) => partitions.includes(partition)) ?? true;
    const subscribe = log.subscribe.bind(log);
    let markedAtHandOver: number | undefined;
    log.subscribe = (options) =>
      subscribe({
        ...options,
        async onRevoked(partitions) {
          // The letters go on where the workers have stopped, and nothing else holds the partitions.
          const stopped = waitFor(() => !isStillOurs(partitions), { describe: 'the workers to stop' });
          void stopped.then(release);
          await options.onRevoked(partitions);
          markedAtHandOver ??= await markedCount();
        },
      });
    const first = consume({ deadLetters: letters, observe: { ...SILENT, onStarted: (own) => (view = own) } });
    await waitFor(() => Promise.resolve(asked === 2), { describe: () => 'both letters to be under way' });
    log.subscribe = subscribe;
    consume({ deadLetters: letters });
    await waitFor(() => Promise.resolve(markedAtHandOver !== undefined), {
      timeoutMs: 30_000,
      describe: () => `the rebalance; it threw ${String(first.error())}`,
    });
    expect(markedAtHandOver).toBe(2);
    expect(await readAllRecords(letters)).toHaveLength(2);
  });
});

describeKafka('the records at places', () => {
  test('that retention deletes under the reader are not there, and the others are', async () => {
    const topic = uniqueName('topic');
    const log = createKafkaEventLog({
      brokers: [kafkaBrokers()],
      clientId: 'test',
      topic,
      patience: 'short',
    });
    try {
      await log.createTopic(1);
      await log.append(Array.from({ length: 5 }, (_, n) => unreadable('u', 'x'.repeat(9_000 + n))));
      // Deleted between the look at the watermarks and the read.
      const before = await log.watermarks();
      const watermarks = log.watermarks.bind(log);
      log.watermarks = async () => {
        log.watermarks = watermarks;
        await topicAdmin(kafkaBrokers).truncate(topic, 0, 3n);
        return before;
      };
      const places = [1n, 4n].map((offset) => ({ partition: 0, offset }));
      const found = await readPlaces(log, places);
      expect([...found.keys()]).toEqual(['0@4']);
      const value = found.get('0@4')?.value;
      // Not a part of the answer that it came with.
      expect(value?.buffer.byteLength).toBe(9_004);
      expect(readDeadLetter({ headers: found.get('0@4')?.headers ?? [] })).toBeNull();
    } finally {
      await log.close();
    }
  });
});
