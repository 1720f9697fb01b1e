import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import {
  createDatabase,
  embeddedStatus,
  startEmbedded,
  stopEmbedded,
} from '../../src/postgres/embedded-server.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { waitFor } from '../support/wait-for.ts';

const run = promisify(execFile);
const MODULE = new URL('../../src/postgres/embedded-server.ts', import.meta.url).href;

let folder = '';
let dataDir = '';
// Each start is a fraction of a second; the machine that runs the tests may be busy with others.
jest.setTimeout(60_000);

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'user-events-embedded-'));
  // A folder on the way is made as well, as for a data home that is new.
  dataDir = path.join(folder, 'share', 'data');
  // Run by root, PostgreSQL is another account, which has to pass through.
  await run('chmod', ['711', folder]);
});
afterEach(async () => {
  await stopEmbedded({ dataDir });
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Runs one statement as the superuser. */
async function ask(connectionString: string, sql: string): Promise<unknown[]> {
  const pool = createPool({ connectionString, max: 1 });
  try {
    return (await pool.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await pool.end();
  }
}

async function postmasterPid(): Promise<number> {
  return Number((await readFile(pidFile(), 'utf8')).split('\n')[0]);
}

function pidFile(): string {
  return path.join(dataDir, 'postgres', 'data', 'postmaster.pid');
}

async function killPostmaster(): Promise<void> {
  const pid = await postmasterPid();
  process.kill(pid, 'SIGKILL');
  await waitFor(async () => (await embeddedStatus({ dataDir })).state === 'stopped', {
    describe: 'the killed server to be gone',
  });
}

describe('the embedded PostgreSQL', () => {
  test('is made at the first start, found by the second, and keeps its port and data when it is stopped', async () => {
    expect((await embeddedStatus({ dataDir })).state).toBe('absent');
    expect(await stopEmbedded({ dataDir })).toBe('not running');
    const said: string[] = [];
    const first = await startEmbedded({ dataDir, onProgress: (line) => said.push(line) });
    expect(first.started).toBe(true);
    expect(said).toEqual([`Setting up PostgreSQL 18 in ${first.dataDir}`, 'Starting PostgreSQL 18']);
    await ask(first.connectionString, 'create table kept as select 1 as one');

    const second = await startEmbedded({ dataDir });
    expect(second).toEqual({ ...first, started: false });
    expect(await embeddedStatus({ dataDir })).toMatchObject({
      state: 'running',
      port: first.port,
      connectionString: first.connectionString,
    });

    expect(await stopEmbedded({ dataDir })).toBe('stopped');
    expect((await embeddedStatus({ dataDir })).state).toBe('stopped');
    expect(await stopEmbedded({ dataDir })).toBe('not running');
    const third = await startEmbedded({ dataDir });
    expect(third).toEqual(first);
    expect(await ask(third.connectionString, 'select one from kept')).toEqual([{ one: 1 }]);
  });

  test('is started once by three that start it at the same time, from nothing', async () => {
    const others = path.join(folder, 'together');
    try {
      const servers = await Promise.all([1, 2, 3].map(() => startEmbedded({ dataDir: others })));
      expect(new Set(servers.map(({ connectionString }) => connectionString)).size).toBe(1);
      expect(servers.filter(({ started }) => started)).toHaveLength(1);
    } finally {
      await stopEmbedded({ dataDir: others });
    }
  });

  test('starts again after kill -9 with everything that was committed', async () => {
    const before = await startEmbedded({ dataDir });
    await ask(before.connectionString, 'create table committed as select 2 as two');
    await killPostmaster();
    const after = await startEmbedded({ dataDir });
    expect(after.started).toBe(true);
    expect(await ask(after.connectionString, 'select two from committed')).toEqual([{ two: 2 }]);
  });

  test('starts over the file of a server that is gone and whose number another process has now', async () => {
    await startEmbedded({ dataDir });
    const stale = await readFile(pidFile(), 'utf8');
    await stopEmbedded({ dataDir });
    await writeFile(pidFile(), stale.replace(/^\d+/, String(process.pid)));
    expect((await embeddedStatus({ dataDir })).state).toBe('stopped');
    expect((await startEmbedded({ dataDir })).started).toBe(true);
  });

  test('outlives the process that started it', async () => {
    const script = `import { startEmbedded } from ${JSON.stringify(MODULE)};
      await startEmbedded({ dataDir: ${JSON.stringify(dataDir)} });`;
    await run(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script]);
    expect((await embeddedStatus({ dataDir })).state).toBe('running');
  });

  test('lets in whoever has the password, which only its owner can read, and nobody else', async () => {
    const { connectionString, port } = await startEmbedded({ dataDir });
    const { mode } = await stat(path.join(dataDir, 'postgres', 'state.json'));
    expect(mode & 0o777).toBe(0o600);
    await expect(
      ask(`postgres://postgres:wrong@127.0.0.1:${port}/postgres`, 'select 1'),
    ).rejects.toMatchObject({
      code: '28P01',
    });
    expect(await ask(connectionString, 'show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
    expect(await ask(connectionString, 'show fsync')).toEqual([{ fsync: 'on' }]);
  });

  test('makes a database once, also for two that make it at the same time', async () => {
    const { connectionString } = await startEmbedded({ dataDir });
    const made = await Promise.all([1, 2].map(() => createDatabase(connectionString, 'Ada’s "users"')));
    expect(made).toContain('created');
    expect(await createDatabase(connectionString, 'Ada’s "users"')).toBe('exists');
  });

  test('says what is wrong with a folder that it cannot use', async () => {
    const file = path.join(folder, 'file');
    await writeFile(file, '');
    await expect(startEmbedded({ dataDir: path.join(file, 'data') })).rejects.toMatchObject({
      code: 'EMBEDDED_UNAVAILABLE',
      message: expect.stringContaining('cannot be made'),
    });
    const foreign = path.join(folder, 'foreign');
    await mkdir(path.join(foreign, 'postgres', 'data'), { recursive: true });
    await writeFile(path.join(foreign, 'postgres', 'state.json'), '{"password":"x"}');
    await writeFile(path.join(foreign, 'postgres', 'data', 'PG_VERSION'), '17\n');
    await expect(startEmbedded({ dataDir: foreign })).rejects.toMatchObject({
      code: 'EMBEDDED_UNAVAILABLE',
      message: expect.stringContaining('was made by PostgreSQL 17'),
    });
  });
});
