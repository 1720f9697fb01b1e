import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sweepOrphans } from '../../../scripts/kafka/broker.mjs';
import { isAlive } from '../../../scripts/kafka/instance-state.mjs';
import { stopEmbedded } from '../../../src/postgres/embedded-server.ts';

const PREFIX = 'user-events-test-';

/** How the folder of a run begins whose keeper is this process; `mkdtemp` ends it. */
export const runDirPrefix = path.join(tmpdir(), `${PREFIX}${process.pid}-`);

/** Where a run's PostgreSQL is. */
export function postgresFolder(runDir: string): string {
  return path.join(runDir, 'postgres');
}

/**
 * Stops and removes the servers of runs whose keeper was killed before it could. Returns what it found, in words.
 * Runs that are under way are left alone.
 */
export async function stopLeftovers(): Promise<string[]> {
  const brokers = (await sweepOrphans()).map((name) => `Kafka instance ${name}`);
  const folders = (await readdir(tmpdir())).filter((name) => {
    const owner = name.startsWith(PREFIX) ? Number(/^\d+/.exec(name.slice(PREFIX.length))?.[0]) : NaN;
    return Number.isInteger(owner) && !isAlive(owner);
  });
  for (const folder of folders) {
    const runDir = path.join(tmpdir(), folder);
    await stopEmbedded({ dataDir: postgresFolder(runDir) });
    await rm(runDir, { recursive: true, force: true });
  }
  return [...brokers, ...folders.map((folder) => `test run ${folder}`)];
}
