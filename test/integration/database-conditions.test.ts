import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { examine } from '../../src/app/doctor.ts';
import { initialise } from '../../src/app/init.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createPostgresEventLog } from '../../src/log/postgres/event-log.ts';
import { toUserEventsError } from '../../src/postgres/errors.ts';
import { migrateLedger, migrateLog } from '../../src/postgres/migrate.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { prepareUsers } from '../support/apply-harness.ts';
import { startConsumer, userRecord, waitUntilDecided } from '../support/consumer-harness.ts';
import { brokenGuarantees } from '../support/invariants.ts';
import { uniqueName } from '../support/names.ts';
import { useTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { waitFor } from '../support/wait-for.ts';

const LOG_SCHEMA = 'user_events_log';
jest.setTimeout(60_000);
let log: EventLog;
// Before the database is dropped.
afterAll(() => log.close());
/** Has the log, and is what statements about the other databases run on. */
const home = useTestDatabase();

beforeAll(async () => {
  const { connectionString } = home();
  await migrateLog({ connectionString, schema: LOG_SCHEMA });
  const topic = uniqueName('topic');
  log = createPostgresEventLog({ connectionString, schema: LOG_SCHEMA, topic, patience: 'short' });
  await log.createTopic(1);
});

/** A database made as `options` say, for the time of `work`. */
async function withDatabase(options: string, work: (database: TestDatabase) => Promise<void>): Promise<void> {
  const name = uniqueName('test');
  await home().pool.query(`create database ${name} ${options}`);
  const url = new URL(home().connectionString);
  url.pathname = `/${name}`;
  const pool = createPool({ connectionString: url.href });
  const connectionString = url.href;
  const address = `${url.host}/${name}`;
  const drop = (): Promise<void> => pool.end();
  try {
    await work({ name, connectionString, address, schema: 'user_events', pool, drop });
  } finally {
    await pool.end();
    await home().pool.query(`drop database ${name} with (force)`);
  }
}

describe('a database that is not of encoding UTF8', () => {
  const LATIN1 = `encoding 'LATIN1' locale 'C' template template0`;

  test('is refused by init, doctor and consume', async () => {
    await withDatabase(LATIN1, async (database) => {
      const { connectionString, schema, address } = database;
      const migrate = (): Promise<{ readonly applied: readonly string[] }> =>
        migrateLedger({ connectionString, schema });
      const nothing = {
        table: null,
        keyColumn: null,
        extraColumn: null,
        createdColumn: null,
        deadLetters: null,
      };
      const request = { ...nothing, updatedColumn: null, rules: null, partitions: 1, topic: 'user-events' };
      const refused = { code: 'DATABASE_ENCODING', exitCode: 3 };
      await expect(initialise({ database, log, migrateLedger: migrate }, request)).rejects.toMatchObject({
        ...refused,
        message: `The database ${database.name} is of encoding LATIN1`,
      });
      const { checks } = await examine({
        nodeVersion: 'v22.1.0',
        topic: 'user-events',
        openLog: () => Promise.resolve(log),
        openDatabase: () => Promise.resolve(database),
        ledgerState: () => Promise.resolve('absent'),
        engineStatus: null,
        findProgram: () => Promise.resolve(null),
        explain: (error) => Promise.resolve(toUserEventsError(error, address)),
      });
      expect(checks.find(({ name }) => name === 'database')).toMatchObject({
        state: 'fail',
        code: 'DATABASE_ENCODING',
        exit: 3,
      });
      // Before anything of it is looked at: a ledger made by an older version changes nothing about it.
      await expect(startConsumer(log, database).ended).rejects.toMatchObject(refused);
    });
  });
});

describe('a database that takes no sessions for a while', () => {
  async function allowConnections({ name }: TestDatabase, isAllowed: boolean): Promise<void> {
    await home().pool.query(`alter database ${name} allow_connections ${String(isAllowed)}`);
    if (isAllowed) return;
    await home().pool.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
      name,
    ]);
  }

  test('is waited for by a consumer, at its start and under way; short commands are told why', async () => {
    await withDatabase('template template0', async (database) => {
      const { connectionString, schema, pool } = database;
      await migrateLedger({ connectionString, schema });
      await prepareUsers(database);
      await allowConnections(database, false);
      const newcomer = createPool({ connectionString });
      const thrown: unknown = await newcomer.query('select 1').catch((reason: unknown) => reason);
      await newcomer.end();
      const error = toUserEventsError(thrown, 'here');
      expect(error).toMatchObject({
        code: 'DATABASE_UNREACHABLE',
        exitCode: 4,
        facts: { sqlState: '55000' },
      });
      const consumer = startConsumer(log, database);
      await waitFor(() => consumer.troubles.length > 0, { describe: 'the consumer to be told' });
      expect(consumer.troubles).toEqual([expect.stringContaining('55000')]);
      await allowConnections(database, true);
      await log.append([userRecord('create', 'a', { name: 'A' })]);
      await waitUntilDecided(log, database, consumer);
      await allowConnections(database, false);
      await log.append([userRecord('update', 'a', { name: 'B' })]);
      await waitFor(() => consumer.troubles.at(-1)?.startsWith('database'), { describe: 'the trouble' });
      await allowConnections(database, true);
      await waitUntilDecided(log, database, consumer);
      expect(await brokenGuarantees(pool, schema, ['name'])).toEqual([]);
      expect((await pool.query('select name from public.users')).rows).toEqual([{ name: 'B' }]);
      await consumer.stop();
    });
  });
});
