import { chmod, mkdir, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import { UserEventsError } from '../errors/user-events-error.ts';
import { runAsAccount, type ServerAccount } from './embedded-command.ts';

/** The folder's one name, so that a server started by another spelling of it is recognised. */
export async function realFolder(dataDir: string): Promise<string> {
  return realpath(dataDir).catch(() => resolve(dataDir));
}

/**
 * Makes the folder, passable for the server's account, and returns its one name. Throws EMBEDDED_UNAVAILABLE where it
 * cannot be made, or lies where that account does not reach.
 */
export async function makeDataFolder(dataDir: string, account: ServerAccount | null): Promise<string> {
  const hint = 'Name another folder in USER_EVENTS_DATA_DIR.';
  try {
    const made = await mkdir(dataDir, { recursive: true, mode: 0o700 });
    if (account !== null) await makePassable(dataDir, made);
  } catch (error) {
    throw new UserEventsError('EMBEDDED_UNAVAILABLE', `The folder ${dataDir} cannot be made`, {
      cause: error,
      hint,
    });
  }
  const folder = await realFolder(dataDir);
  if (account !== null && !(await canEnter(folder, account))) {
    throw new UserEventsError(
      'EMBEDDED_UNAVAILABLE',
      `PostgreSQL runs as ${account.name} here, and that account cannot enter ${folder}`,
      { hint },
    );
  }
  return folder;
}

/**
 * The account has to pass through to its own folder; it need not list any. So this one, and those above it that were made
 * just now, `made` being the outermost: what stood before is not ours to open.
 */
async function makePassable(dataDir: string, made: string | undefined): Promise<void> {
  const folder = resolve(dataDir);
  const { mode } = await stat(folder);
  if ((mode & 0o001) === 0) await chmod(folder, (mode & 0o7777) | 0o011);
  if (made !== undefined && folder !== resolve(made)) await makePassable(dirname(folder), made);
}

/** Tried, not worked out: rights of all folders above, access lists and mounts have their say. */
async function canEnter(folder: string, account: ServerAccount): Promise<boolean> {
  const tried = await runAsAccount('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { account, cwd: '/' });
  return tried.exitCode === 0;
}
