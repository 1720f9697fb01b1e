import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase, useTestDatabase } from '../support/test-database.ts';
import { waitFor } from '../support/wait-for.ts';

const run = promisify(execFile);
const PACKAGE = path.resolve(import.meta.dirname, '../..');
const JEST = path.join(PACKAGE, 'node_modules/jest/bin/jest.js');

describe('a test database', () => {
  const database = useTestDatabase();

  test('has the ledger migrated and nothing in it', async () => {
    const { rows } = await database().pool.query('select from user_events.ledger');
    expect(rows).toEqual([]);
  });

  test('fails the test that leaks a connection to it, and names the connection', async () => {
    const leaky = await createTestDatabase();
    const client = new pg.Client({ connectionString: leaky.connectionString, application_name: 'leak' });
    const lost = new Promise((resolve) => client.on('error', resolve));
    await client.connect();
    await expect(leaky.drop()).rejects.toThrow(/leaked: leak \(idle\)/);
    await lost;
    const { rows } = await database().pool.query('select from pg_database where datname = $1', [leaky.name]);
    expect(rows).toEqual([]);
  });
});

describe('waitFor', () => {
  test('returns what the condition becomes', async () => {
    const values = [undefined, null, 'there'];
    expect(await waitFor(() => values.shift(), { describe: 'a value' })).toBe('there');
  });

  test('says what it waited for and keeps the last error when time is up', async () => {
    const cause = new Error('not yet');
    const failure = waitFor(() => Promise.reject(cause), { timeoutMs: 30, describe: 'the moon' });
    await expect(failure).rejects.toMatchObject({ message: 'Waited 30 ms in vain for the moon', cause });
  });
});

describe('a run without Kafka', () => {
  test.each([
    ['names the suites that did not run, in its last lines', '', 0],
    ['fails where CI is set', 'true', 1],
  ])('%s', async (_, ci, exitCode) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'no-kafka-'));
    await symlink(path.join(PACKAGE, 'node_modules'), path.join(folder, 'node_modules'));
    await writeFile(
      path.join(folder, 'a.test.ts'),
      `import { test } from '@jest/globals';
       import { describeKafka } from '${PACKAGE}/test/support/describe-kafka.ts';
       describeKafka('the broker', () => { test('answers', () => {}); });
       test('runs', () => {});`,
    );
    const { default: config } = await import('../../jest.config.mjs');
    const [project] = config.projects ?? [];
    const jestConfig = {
      ...(typeof project === 'object' ? project : {}),
      rootDir: folder,
      roots: [folder],
      reporters: ['default', path.join(PACKAGE, 'test/support/not-run-reporter.mjs')],
    };
    const args = ['--experimental-vm-modules', JEST, '--config', JSON.stringify(jestConfig)];
    const outcome = await run(process.execPath, args, {
      cwd: folder,
      env: { PATH: process.env['PATH'], CI: ci },
    }).then(
      ({ stderr }) => ({ code: 0, stderr }),
      (error: unknown) => error,
    );
    await rm(folder, { recursive: true });
    expect(outcome).toMatchObject({ code: exitCode });
    expect(outcome).toHaveProperty('stderr', expect.stringMatching(/NOT RUN[^]*a\.test\.ts > the broker\n/));
  });
});
