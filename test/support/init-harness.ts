/** What the tests of `init` have in common: a database, a log in it, and a schema `fresh` that is dropped after each test. */
import { afterEach } from '@jest/globals';
import { initialise, type InitRequest, type InitResult } from '../../src/app/init.ts';
import { createPostgresEventLog } from '../../src/log/postgres/event-log.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { migrateLedger } from '../../src/postgres/migrate.ts';
import { useTestDatabase, type TestDatabase } from './test-database.ts';

const NOTHING_SAID: InitRequest = {
  rules: null,
  partitions: 4,
  table: null,
  keyColumn: null,
  extraColumn: null,
  createdColumn: null,
  updatedColumn: null,
  deadLetters: null,
  topic: 'user-events',
};

interface InitHarness {
  readonly database: () => TestDatabase;
  /** Sets a schema up, on the log in the database unless another one is opened. */
  readonly init: (
    schema: string,
    request?: Partial<InitRequest>,
    openLog?: () => EventLog,
  ) => Promise<InitResult>;
  readonly query: (text: string) => Promise<Record<string, unknown>[]>;
  readonly postgresLog: (topic?: string) => EventLog;
}

/** A database of the file's own; call it once, outside of tests. */
export function useInitHarness(): InitHarness {
  const database = useTestDatabase();
  const postgresLog = (topic = 'user-events'): EventLog =>
    createPostgresEventLog({ connectionString: database().connectionString, topic, patience: 'short' });
  const query: InitHarness['query'] = async (text) => {
    const { rows } = await database().pool.query<Record<string, unknown>>(text);
    return rows;
  };
  afterEach(async () => {
    await query(
      'drop schema if exists app cascade; drop table if exists public.users; drop schema if exists fresh cascade',
    );
  });
  const init: InitHarness['init'] = async (schema, request = {}, openLog = postgresLog) => {
    const { connectionString } = database();
    const log = openLog();
    try {
      return await initialise(
        {
          database: { ...database(), schema },
          log,
          migrateLedger: () => migrateLedger({ connectionString, schema }),
        },
        { ...NOTHING_SAID, ...request },
      );
    } finally {
      await log.close();
    }
  };
  return { database, init, query, postgresLog };
}
