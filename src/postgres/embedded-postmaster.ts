import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm } from 'node:fs/promises';
import { uptime } from 'node:os';
import { join } from 'node:path';

import { nodeErrorCode } from './errors.ts';

/** What a running server says of itself in its data folder (src/include/utils/pidfile.h: one value a line). */
export interface PostmasterFile {
  readonly pid: number;
  /** Seconds since the epoch. */
  readonly startedAt: number;
  readonly port: number;
}

/** Reads `postmaster.pid`; null where there is none, or it is being written. */
export async function readPostmasterFile(data: string): Promise<PostmasterFile | null> {
  const text = await readIfThere(join(data, 'postmaster.pid'));
  return text === null ? null : parse(text);
}

function parse(text: string): PostmasterFile | null {
  const [pid, , startedAt, port] = text.split('\n').map((line) => line.trim());
  const file = { pid: Number(pid), startedAt: Number(startedAt), port: Number(port) };
  return [file.pid, file.startedAt, file.port].every((value) => Number.isSafeInteger(value) && value > 0)
    ? file
    : null;
}

/**
 * True where the file's process is a PostgreSQL server of this data folder, however busy it is. Its number alone says
 * little: after a reboot, or in a container started again, it may be anybody's. Needs no `ps`.
 */
export async function isServerAlive(data: string, file: PostmasterFile): Promise<boolean> {
  if (!isAlive(file.pid)) return false;
  if (process.platform === 'linux') {
    const commandLine = await readIfThere(`/proc/${String(file.pid)}/cmdline`);
    return commandLine !== null && commandLine.includes('postgres') && commandLine.includes(data);
  }
  // Elsewhere: not if it began before this machine did. Two seconds for rounding.
  return file.startedAt > Date.now() / 1000 - uptime() - 2;
}

/** A process of another account answers EPERM: it is there. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return nodeErrorCode(error) === 'EPERM';
  }
}

/**
 * Takes away the file of a server that is gone but whose number lives on in another process: PostgreSQL itself would
 * refuse to start over it. Should a server have started meanwhile, its file is put back.
 */
export async function removeStaleFile(data: string, stale: PostmasterFile): Promise<void> {
  const path = join(data, 'postmaster.pid');
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  const taken = parse((await readIfThere(aside)) ?? '');
  if (taken !== null && (taken.pid !== stale.pid || taken.startedAt !== stale.startedAt)) {
    await link(aside, path).catch(() => undefined);
  }
  await rm(aside, { force: true });
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return null;
  }
}
