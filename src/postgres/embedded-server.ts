import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { UserEventsError } from '../errors/user-events-error.ts';
import { serverAccount } from './embedded-account.ts';
import { findBinaries, type Binaries } from './embedded-binaries.ts';
import {
  checkVersion,
  clusterPaths,
  createCluster,
  EMBEDDED_ROLE,
  errorLine,
  logEnd,
  readState,
  writeState,
  type ClusterPaths,
} from './embedded-cluster.ts';
import { runAsAccount, type ServerAccount } from './embedded-command.ts';
import { makeDataFolder, realFolder } from './embedded-data-folder.ts';
import { isServerAlive, readPostmasterFile, removeStaleFile } from './embedded-postmaster.ts';
import { describeSqlError } from './errors.ts';
import { createPool } from './pool.ts';
import { quoteIdentifier } from './sql-text.ts';

export interface EmbeddedOptions {
  readonly dataDir: string;
  /** Told, in one line each, what takes a while. */
  readonly onProgress?: (message: string) => void;
}

export interface EmbeddedServer {
  /** As the superuser, to the database `postgres`. Holds the password: never for messages. */
  readonly connectionString: string;
  readonly port: number;
  readonly dataDir: string;
  /** False where it ran already. */
  readonly started: boolean;
}

export interface EmbeddedStatus {
  /** `absent`: it was never started here. */
  readonly state: 'absent' | 'stopped' | 'starting' | 'running';
  readonly dataDir: string;
  readonly port: number | null;
  readonly pid: number | null;
  readonly connectionString: string | null;
}

/** A crash recovery may take this long, s; a start without one takes 0.1 s. */
const START_TIMEOUT_S = 120;
/** How long a server that cannot start is tried again: after a kill its processes hold the memory for a moment, ms. */
const RETRY_MS = 6_000;

/**
 * Starts the embedded PostgreSQL unless it runs, making it at the first call. It outlives this process and ends by
 * `stopEmbedded`. Safe to call from several processes at once, without a lock that could go stale: a cluster appears
 * by a rename, and PostgreSQL itself lets one server into a data folder.
 * Throws EMBEDDED_UNAVAILABLE with what PostgreSQL said as the cause.
 */
export async function startEmbedded({
  dataDir,
  onProgress = () => undefined,
}: EmbeddedOptions): Promise<EmbeddedServer> {
  const found = await settledStatus(dataDir);
  if (found.state === 'running') return serverOf(found, false);
  const account = await serverAccount();
  const folder = await makeDataFolder(dataDir, account);
  const paths = clusterPaths(folder);
  const binaries = await findBinaries({ dataDir: folder, account, onProgress });
  if (found.state === 'absent') {
    onProgress(`Setting up PostgreSQL ${binaries.majorVersion} in ${folder}`);
    await createCluster(paths, binaries, account);
  }
  await checkVersion(paths, binaries);
  onProgress(`Starting PostgreSQL ${binaries.majorVersion}`);
  return startServer(folder, paths, binaries, account);
}

/** Stops the server: open transactions are aborted, what was committed is kept. */
export async function stopEmbedded({ dataDir }: EmbeddedOptions): Promise<'stopped' | 'not running'> {
  const folder = await realFolder(dataDir);
  const paths = clusterPaths(folder);
  const file = await readPostmasterFile(paths.data);
  if (file === null || !(await isServerAlive(paths.data, file))) return 'not running';
  const account = await serverAccount();
  const binaries = await findBinaries({ dataDir: folder, account, onProgress: () => undefined });
  const stop = ['stop', '-D', paths.data, '-m', 'fast', '-w', '-t', String(START_TIMEOUT_S)];
  const { exitCode, output } = await runAsAccount(binaries.pgCtl, stop, { account, cwd: '/' });
  if (exitCode === 0) return 'stopped';
  if ((await embeddedStatus({ dataDir: folder })).state === 'stopped') return 'not running';
  throw new UserEventsError('EMBEDDED_UNAVAILABLE', `PostgreSQL did not stop: ${errorLine(output)}`, {
    cause: new Error(output),
  });
}

/** Asks the server itself; a file of one that is gone counts for nothing. */
export async function embeddedStatus({ dataDir }: EmbeddedOptions): Promise<EmbeddedStatus> {
  const folder = await realFolder(dataDir);
  const paths = clusterPaths(folder);
  const none = { dataDir: folder, port: null, pid: null, connectionString: null };
  const state = await readState(paths);
  if (state === null) return { state: 'absent', ...none };
  const file = await readPostmasterFile(paths.data);
  if (file === null) return { state: 'stopped', ...none };
  const { port, pid } = file;
  const connectionString = `postgres://${EMBEDDED_ROLE}:${state.password}@127.0.0.1:${String(port)}/postgres`;
  if (await answers(connectionString))
    return { state: 'running', dataDir: folder, port, pid, connectionString };
  return { state: (await isServerAlive(paths.data, file)) ? 'starting' : 'stopped', ...none };
}

/** Makes a database unless it is there. `connectionString` is that of a role that may. */
export async function createDatabase(connectionString: string, name: string): Promise<'created' | 'exists'> {
  const pool = createPool({ connectionString, max: 1 });
  try {
    const found = await pool.query('select from pg_database where datname = $1', [name]);
    if (found.rowCount !== 0) return 'exists';
    await pool.query(`create database ${quoteIdentifier(name)}`);
    return 'created';
  } catch (error) {
    // duplicate_database; or unique_violation where two make it in the same moment.
    const { sqlState } = describeSqlError(error);
    if (sqlState === '42P04' || sqlState === '23505') return 'exists';
    throw error;
  } finally {
    await pool.end();
  }
}

/** Starts, or waits for whoever else is starting it. */
async function startServer(
  folder: string,
  paths: ClusterPaths,
  binaries: Binaries,
  account: ServerAccount | null,
): Promise<EmbeddedServer> {
  const giveUpAt = performance.now() + RETRY_MS;
  for (;;) {
    await removeIfStale(paths);
    const logFrom = await logEnd(paths);
    const port = await choosePort(paths);
    const start = ['start', '-D', paths.data, '-l', paths.log, '-w', '-t', String(START_TIMEOUT_S)];
    const { exitCode, output } = await runAsAccount(binaries.pgCtl, [...start, '-o', `-p ${String(port)}`], {
      account,
      cwd: '/',
      leavesServer: true,
    });
    const status = await settledStatus(folder);
    if (status.state === 'running') {
      if (exitCode === 0) await rememberPort(paths, port);
      return serverOf(status, exitCode === 0);
    }
    if (performance.now() > giveUpAt) throw await notStarted(paths, logFrom, output);
    await delay(100);
  }
}

async function removeIfStale(paths: ClusterPaths): Promise<void> {
  const file = await readPostmasterFile(paths.data);
  if (file !== null && !(await isServerAlive(paths.data, file))) await removeStaleFile(paths.data, file);
}

/** The status once it is no longer `starting`. */
async function settledStatus(dataDir: string): Promise<EmbeddedStatus> {
  const giveUpAt = performance.now() + START_TIMEOUT_S * 1000;
  for (;;) {
    const status = await embeddedStatus({ dataDir });
    if (status.state !== 'starting' || performance.now() > giveUpAt) return status;
    await delay(25);
  }
}

async function notStarted(paths: ClusterPaths, logFrom: number, output: string): Promise<UserEventsError> {
  const log = await readFile(paths.log)
    .then((bytes) => bytes.subarray(logFrom).toString('utf8'))
    .catch(() => '');
  return new UserEventsError(
    'EMBEDDED_UNAVAILABLE',
    `PostgreSQL does not start: ${errorLine(log === '' ? output : log)}`,
    { cause: new Error(`${output}\n${log}`), facts: { log: paths.log } },
  );
}

function serverOf(status: EmbeddedStatus, started: boolean): EmbeddedServer {
  const { connectionString, port, dataDir } = status;
  if (connectionString === null || port === null) throw new Error(`A server without a port in ${dataDir}`);
  return { connectionString, port, dataDir, started };
}

/** Its own password opens it: a stranger's server at the same port does not answer so. */
async function answers(connectionString: string): Promise<boolean> {
  const pool = createPool({ connectionString, max: 1, connectTimeoutMs: 1000 });
  try {
    await pool.query('select 1');
    return true;
  } catch (error) {
    // too_many_connections: it is there.
    return describeSqlError(error).sqlState === '53300';
  } finally {
    await pool.end();
  }
}

async function rememberPort(paths: ClusterPaths, port: number): Promise<void> {
  const state = await readState(paths);
  if (state !== null && state.port !== port) await writeState(paths, { ...state, port });
}

/** The last port where nobody has taken it since, else one of the loopback interface that is free at this moment. */
async function choosePort(paths: ClusterPaths): Promise<number> {
  const last = (await readState(paths))?.port ?? 0;
  return tryPort(last).catch((error: unknown) => {
    if (last === 0) throw error;
    return tryPort(0);
  });
}

/** Listens for a moment; 0 lets the system choose. Returns the port. */
function tryPort(port: number): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once('error', fail);
    probe.listen(port, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        done(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  });
}
