import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { childrenOf } from './process-usage.ts';

const run = promisify(execFile);

/** Why processes cannot be pinned to cores here; null where they can. */
export async function pinningFault(): Promise<string | null> {
  if (availableParallelism() < 2) return 'this machine has one core';
  try {
    await run('taskset', ['--version']);
    return null;
  } catch {
    return 'there is no taskset here (Linux, util-linux)';
  }
}

/** Pins a process, all its threads and all its children (PostgreSQL's back ends) to cores: '0', '1', '0,1'. */
export async function pin(pid: number, cores: string): Promise<void> {
  for (const each of await familyOf(pid)) {
    // One that has ended meanwhile needs no core.
    await run('taskset', ['-acp', cores, String(each)]).catch(() => undefined);
  }
}

async function familyOf(pid: number): Promise<number[]> {
  const below = await Promise.all((await childrenOf(pid)).map(familyOf));
  return [pid, ...below.flat()];
}
