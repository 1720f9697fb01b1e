import { afterEach, beforeAll, describe } from '@jest/globals';
import type { LogRecord, NewRecord } from '../../src/domain/record.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { createPostgresEventLog } from '../../src/log/postgres/event-log.ts';
import { migrateLog } from '../../src/postgres/migrate.ts';
import { describeKafka, kafkaBrokers } from './describe-kafka.ts';
import { uniqueName } from './names.ts';
import { useTestDatabase, type TestDatabase } from './test-database.ts';

const LOG_SCHEMA = 'user_events_log';

/** The logs and the database of the tests of one block. */
export interface EachLog {
  readonly database: () => TestDatabase;
  /** A log on a new topic; closed after the test. */
  readonly open: (partitions: number) => Promise<EventLog>;
  /** A log on a topic that a test before made; closed after the test. */
  readonly openAgain: (topic: string) => EventLog;
  /** A log on a topic that is not there; closed after the test. */
  readonly openMissing: () => EventLog;
}

/** The same tests on every engine: PostgreSQL's tables, and Kafka where there is a broker. */
export function describeEachLog(title: string, tests: (logs: EachLog) => void): void {
  describe(`${title}, with the log in PostgreSQL`, () => {
    const database = useTestDatabase();
    beforeAll(async () => {
      await migrateLog({ connectionString: database().connectionString, schema: LOG_SCHEMA });
    });
    tests(
      eachLog(database, (topic) => {
        const { connectionString } = database();
        return createPostgresEventLog({ connectionString, schema: LOG_SCHEMA, topic, patience: 'short' });
      }),
    );
  });
  describeKafka(`${title}, with the log in Kafka`, () => {
    const database = useTestDatabase();
    tests(
      eachLog(database, (topic) =>
        createKafkaEventLog({ brokers: [kafkaBrokers()], clientId: 'test', topic, patience: 'short' }),
      ),
    );
  });
}

function eachLog(database: () => TestDatabase, create: (topic: string) => EventLog): EachLog {
  const opened: EventLog[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((log) => log.close()));
  });
  const openAgain = (topic: string): EventLog => {
    const log = create(topic);
    opened.push(log);
    return log;
  };
  const openMissing = (): EventLog => openAgain(uniqueName('topic'));
  return {
    database,
    openAgain,
    openMissing,
    async open(partitions) {
      const log = openMissing();
      await log.createTopic(partitions);
      return log;
    },
  };
}

/** All that a log holds, by partition and offset. */
export async function readAllRecords(log: EventLog): Promise<readonly LogRecord[]> {
  const records: LogRecord[] = [];
  const ranges = (await log.watermarks()).map(({ partition, low }) => ({ partition, from: low }));
  for await (const batch of log.read(ranges)) records.push(...batch.records);
  return records.toSorted((a, b) => a.partition - b.partition || Number(a.offset - b.offset));
}

/** A record without its place: what a copy has in common with it. */
export function contentOf({ key, value, headers, timestamp }: LogRecord | NewRecord): Partial<NewRecord> {
  return { key, value, headers, ...(timestamp === undefined ? {} : { timestamp }) };
}
