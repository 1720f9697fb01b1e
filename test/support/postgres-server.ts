import pg from 'pg';
import { startEmbedded, stopEmbedded } from '../../src/postgres/embedded-server.ts';

/** A PostgreSQL server of the tests' own. */
export interface PostgresServer {
  /** Superuser's connection to the database `postgres`. */
  readonly connectionString: string;
  stop(): Promise<unknown>;
}

/** Nothing of a test run has to survive a power cut: no waiting for the disk. All take effect without a restart. */
const SETTINGS = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

/** Makes a new embedded server in `dataDir` and starts it on a free port. */
export async function startPostgresServer(dataDir: string): Promise<PostgresServer> {
  const { connectionString } = await startEmbedded({ dataDir });
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    for (const [name, value] of Object.entries(SETTINGS)) {
      await client.query(`alter system set ${name} = '${value}'`);
    }
    await client.query('select pg_reload_conf()');
  } finally {
    await client.end();
  }
  return { connectionString, stop: () => stopEmbedded({ dataDir }) };
}
