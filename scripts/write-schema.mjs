// migrations/schema.sql: what the migrations add up to, so that a change of the schema shows in review. Made by running
// them on an embedded PostgreSQL; `--check` compares.
import { mkdtemp, chmod, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { register } from 'tsx/esm/api';
import { writeOrCheck } from './generate/generated-file.mjs';
import { describeSchema } from './schema/describe-schema.mjs';

register();
const { startEmbedded, stopEmbedded } = await import('../src/postgres/embedded-server.ts');
const { migrateLedger, migrateLog } = await import('../src/postgres/migrate.ts');

const HEADER = `-- Made from the migrations by \`npm run schema\`, in the catalog's words; nothing reads this file.
-- It is there for review: what a migration changes shows here.
`;

const dataDir = await mkdtemp(path.join(tmpdir(), 'user-events-schema-'));
// Run by root, PostgreSQL is another account.
await chmod(dataDir, 0o711);
try {
  const { connectionString } = await startEmbedded({ dataDir: path.join(dataDir, 'postgres') });
  await migrateLedger({ connectionString, schema: 'ledger_schema' });
  await migrateLog({ connectionString, schema: 'log_schema' });
  const client = new pg.Client({ connectionString });
  await client.connect();
  const ledger = await describeSchema(client, 'ledger_schema');
  const log = await describeSchema(client, 'log_schema');
  await client.end();
  const text = `${HEADER}\n-- The ledger of one consumer group\n\n${ledger}\n\n-- The event log in PostgreSQL\n\n${log}\n`;
  await writeOrCheck('migrations/schema.sql', text, 'npm run schema');
} finally {
  await stopEmbedded({ dataDir: path.join(dataDir, 'postgres') });
  await rm(dataDir, { recursive: true, force: true });
}
