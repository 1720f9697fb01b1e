import { randomBytes, randomUUID } from 'node:crypto';
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { UserEventsError } from '../errors/user-events-error.ts';
import type { Binaries } from './embedded-binaries.ts';
import { runAsAccount, runDetached, type ServerAccount } from './embedded-command.ts';
import { nodeErrorCode } from './errors.ts';

/** The one superuser. No operating system account is behind the name. */
export const EMBEDDED_ROLE = 'postgres';

/** Where the parts of one embedded server lie. */
export interface ClusterPaths {
  readonly root: string;
  /** PostgreSQL's data folder. */
  readonly data: string;
  readonly log: string;
  readonly state: string;
}

export interface ClusterState {
  readonly password: string;
  /** Where it listened last: taken again if it is free, since connection strings get written down. Null before. */
  readonly port: number | null;
}

/** Settings other than PostgreSQL's own defaults. fsync and synchronous_commit stay on. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '128MB',
  // Parallel workers want shared memory of which a container has 64 MB, and cores that a small machine lacks.
  max_parallel_workers_per_gather: '0',
  max_parallel_maintenance_workers: '0',
  // The log must not hold users' data: no statements, no rows in DETAIL.
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
};

const LOG_LIMIT_BYTES = 10 * 1024 * 1024;

export function clusterPaths(dataDir: string): ClusterPaths {
  return pathsIn(join(dataDir, 'postgres'));
}

function pathsIn(root: string): ClusterPaths {
  return {
    root,
    data: join(root, 'data'),
    log: join(root, 'server.log'),
    state: join(root, 'state.json'),
  };
}

/** The cluster's secret and its last port; null where no cluster was made yet. */
export async function readState(paths: ClusterPaths): Promise<ClusterState | null> {
  let text: string;
  try {
    text = await readFile(paths.state, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(nodeErrorCode(error) ?? '')) return null;
    throw new UserEventsError('EMBEDDED_UNAVAILABLE', `${paths.state} cannot be read`, { cause: error });
  }
  const state: unknown = JSON.parse(text);
  if (isObject(state) && 'password' in state && typeof state.password === 'string') {
    const port = 'port' in state && typeof state.port === 'number' ? state.port : null;
    return { password: state.password, port };
  }
  throw new UserEventsError('EMBEDDED_UNAVAILABLE', `${paths.state} holds no password`);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Replaces the state in one step, readable by nobody else. */
export async function writeState(paths: ClusterPaths, state: ClusterState): Promise<void> {
  const draft = `${paths.state}.${randomUUID()}`;
  await writeFile(draft, `${JSON.stringify(state)}\n`, { mode: 0o600 });
  await rename(draft, paths.state);
}

/**
 * Makes the cluster in a folder beside and renames it into place when it is whole: a kill half-way leaves nothing that
 * could be taken for a cluster, and of two processes that do it at once one finds the other's. Throws
 * EMBEDDED_UNAVAILABLE (disk full, folder out of the account's reach) with what initdb said as the cause.
 */
export async function createCluster(
  paths: ClusterPaths,
  binaries: Binaries,
  account: ServerAccount | null,
): Promise<void> {
  const draft = pathsIn(await mkdtemp(`${paths.root}.draft-`));
  try {
    const password = randomBytes(24).toString('base64url');
    await prepareFolder(draft, account);
    await initialise(draft, binaries, account, password);
    await writeState(draft, { password, port: null });
    await rename(draft.root, paths.root).catch(async (error: unknown) => {
      if ((await readState(paths)) === null) throw error;
    });
    // initdb skipped it to start at once; the files of a new cluster are synced while it works already.
    runDetached(binaries.initdb, ['--sync-only', '-D', paths.data], { account, cwd: '/' });
  } catch (error) {
    if (error instanceof UserEventsError) throw error;
    throw new UserEventsError(
      'EMBEDDED_UNAVAILABLE',
      `PostgreSQL cannot be set up in ${dirname(paths.root)}`,
      {
        cause: error,
      },
    );
  } finally {
    await rm(draft.root, { recursive: true, force: true });
  }
}

/** The server's account owns the data and the log; the folder and the secret stay ours. */
async function prepareFolder(paths: ClusterPaths, account: ServerAccount | null): Promise<void> {
  await mkdir(paths.data, { mode: 0o700 });
  await writeFile(paths.log, '', { mode: 0o600 });
  if (account === null) return;
  await chmod(paths.root, 0o711);
  for (const path of [paths.data, paths.log]) await chown(path, account.uid, account.gid);
}

async function initialise(
  paths: ClusterPaths,
  binaries: Binaries,
  account: ServerAccount | null,
  password: string,
): Promise<void> {
  const passwordFile = join(paths.root, 'password');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account !== null) await chown(passwordFile, account.uid, account.gid);
  const { exitCode, output } = await runAsAccount(
    binaries.initdb,
    [
      `--pgdata=${paths.data}`,
      `--username=${EMBEDDED_ROLE}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
      '--no-instructions',
      '--no-sync',
      ...Object.entries(SETTINGS).map(([name, value]) => `--set=${name}=${value}`),
    ],
    { account, cwd: paths.root },
  );
  await rm(passwordFile, { force: true });
  if (exitCode === 0) return;
  throw new UserEventsError(
    'EMBEDDED_UNAVAILABLE',
    `PostgreSQL cannot be set up in ${dirname(paths.root)}: ${errorLine(output)}`,
    { cause: new Error(output) },
  );
}

/** The first line that names an error, without the program's name: what follows it is a consequence. */
export function errorLine(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const named = lines.find((line) => ERROR_LINE.test(line)) ?? lines.at(-1) ?? 'no reason given';
  return named.replace(ERROR_LINE, '');
}

const ERROR_LINE = /^.*?\b(?:error|fatal|panic):\s*/i;

/** A data folder belongs to one major version. Throws EMBEDDED_UNAVAILABLE where it is another's. */
export async function checkVersion(paths: ClusterPaths, binaries: Binaries): Promise<void> {
  const version = (await readFile(join(paths.data, 'PG_VERSION'), 'utf8')).trim();
  if (version === binaries.majorVersion) return;
  throw new UserEventsError(
    'EMBEDDED_UNAVAILABLE',
    `${paths.data} was made by PostgreSQL ${version}; this is PostgreSQL ${binaries.majorVersion}`,
    { hint: 'Use the version of user-events that made it, or name another folder in USER_EVENTS_DATA_DIR.' },
  );
}

/**
 * Where the log of the next start begins, bytes. Nobody reads an old log of a server that nobody runs: a large one
 * begins anew rather than fill the disk.
 */
export async function logEnd(paths: ClusterPaths): Promise<number> {
  const { size } = await stat(paths.log).catch(() => ({ size: 0 }));
  if (size <= LOG_LIMIT_BYTES) return size;
  await truncate(paths.log);
  return 0;
}
