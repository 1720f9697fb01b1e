import { afterAll, beforeAll } from '@jest/globals';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { createPostgresEventLog } from '../../src/log/postgres/event-log.ts';
import { startEmbedded, stopEmbedded } from '../../src/postgres/embedded-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { eventLogConformance } from './event-log-suite.ts';
import type { OwnLog } from './harness.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await database.drop();
});

async function startOwnLog(): Promise<OwnLog> {
  const folder = await mkdtemp(path.join(tmpdir(), 'user-events-conformance-'));
  // Run by root, PostgreSQL is another account, which has to pass through.
  await chmod(folder, 0o711);
  const dataDir = path.join(folder, 'data');
  const { connectionString } = await startEmbedded({ dataDir });
  return {
    create: ({ topic, patience }) => createPostgresEventLog({ connectionString, topic, patience }),
    takeAway: async () => {
      await stopEmbedded({ dataDir });
    },
    bringBack: async () => {
      await startEmbedded({ dataDir });
    },
    remove: async () => {
      await stopEmbedded({ dataDir });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

eventLogConformance('PostgreSQL as an event log', {
  create: ({ topic, patience }) =>
    createPostgresEventLog({ connectionString: database.connectionString, topic, patience }),
  startOwnLog,
});
