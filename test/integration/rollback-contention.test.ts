import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { writeEnvelope } from '../../src/domain/write-envelope.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createPostgresEventLog } from '../../src/log/postgres/event-log.ts';
import { migrateLog } from '../../src/postgres/migrate.ts';
import { prepareUsers } from '../support/apply-harness.ts';
import {
  startConsumer,
  userRecord,
  waitUntilDecided,
  type InProcessConsumer,
} from '../support/consumer-harness.ts';
import { uniqueName } from '../support/names.ts';
import { useTestDatabase } from '../support/test-database.ts';
import { waitFor } from '../support/wait-for.ts';

const LOG_SCHEMA = 'user_events_log';
let log: EventLog;
let consumer: InProcessConsumer;
/** Runs before each attempt of the consumer's. */
let beforeAttempt = (): Promise<unknown> => Promise.resolve();
const logDatabase = useTestDatabase();
const database = useTestDatabase();

beforeAll(async () => {
  const { connectionString } = logDatabase();
  await migrateLog({ connectionString, schema: LOG_SCHEMA });
  await prepareUsers(database());
  const topic = uniqueName('topic');
  log = createPostgresEventLog({ connectionString, schema: LOG_SCHEMA, topic, patience: 'short' });
  await log.createTopic(2);
  consumer = startConsumer(log, database(), {
    at: async (point) => {
      if (point === 'before-statement') await beforeAttempt();
    },
  });
});
afterEach(async () => {
  await consumer.stop();
  await log.close();
});

test('a rollback of events in a partition that never rests waits for its turn, rather than to lose the race for ever', async () => {
  const { pool, schema } = database();
  const create = userRecord('create', 'a', { name: 'A' });
  await log.append([{ ...create, partition: 1 }]);
  await waitUntilDecided(log, database(), consumer);
  const { rows } = await pool.query<{ id: string }>(`select event_id as id from ${schema}.ledger`);

  // As the consumer of that partition does all the time: it moves its position.
  const move = `update ${schema}.position set revision = revision + 1 where partition = 1`;
  const other = await pool.connect();
  /** Resolves with the transaction of the consumer's that waits, when it is another than `before`. */
  const untilWaits = (what: string, before = ''): Promise<string> =>
    waitFor(
      async () => {
        const waiting = await pool.query<{ xact: string }>(
          `select xact_start::text as xact from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock' and xact_start::text <> $1`,
          [before],
        );
        return waiting.rows[0]?.xact;
      },
      { describe: `${what} to wait for the other partition` },
    );
  let attempts = 0;
  beforeAttempt = () => {
    attempts++;
    return other.query(`begin; ${move}`);
  };
  try {
    const eventId = '01890000-0000-7000-8000-000000000001';
    const terms = { mode: 'only', upTo: null, force: false, reason: null, operator: null } as const;
    const place = { kind: 'rollback', eventId, userId: 'a', partition: 0, rules: 'strict' } as const;
    await log.append([writeEnvelope({ ...place, ...terms, targets: rows.map(({ id }) => id) }, '/test')]);
    const first = await untilWaits('the first attempt');
    await other.query('commit');
    await untilWaits('the second attempt', first);
    await other.query('commit');
    await waitUntilDecided(log, database(), consumer);
    expect(attempts).toBe(2);
  } finally {
    await other.query('rollback');
    other.release();
  }
});
