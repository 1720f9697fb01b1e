import { waitFor } from '../test/support/wait-for.ts';
import type { World } from './world.ts';

/** Consumers that find the table locked do so with their next batch, unless they are being started again. */
const FOUND_WITHIN_MS = 30_000;

/** Ends every session of the consumers and of commands, whatever they do. False: there were none. */
export async function terminateBackends(world: World): Promise<boolean> {
  const rows = await world.ask<{ is_ended: boolean }>(
    `select pg_terminate_backend(pid) as is_ended from pg_stat_activity
      where datname = current_database() and application_name = 'user-events'`,
  );
  return rows.some(({ is_ended }) => is_ended);
}

/**
 * Another session locks the users table, as a migration does, until a consumer waits for it and then until `wait`
 * resolves. False: the database went away before a consumer waited.
 */
export async function holdLock(world: World, wait: () => Promise<unknown>): Promise<boolean> {
  const client = await waitFor(() => world.pool.connect(), {
    timeoutMs: FOUND_WITHIN_MS,
    describe: 'a session',
  });
  let broken: Error | undefined;
  client.on('error', (error) => (broken = error));
  let isFound = false;
  try {
    await client.query('begin; lock table public.users in share mode');
    await waitFor(() => broken !== undefined || hasWaiter(world), {
      timeoutMs: FOUND_WITHIN_MS,
      describe: 'a consumer to wait for the lock',
    });
    isFound = broken === undefined;
    await wait();
    await client.query('rollback');
  } catch (error) {
    // A database that is shut down meanwhile takes the lock along.
    broken ??= error instanceof Error ? error : new Error(String(error));
  } finally {
    client.release(broken);
  }
  return isFound;
}

async function hasWaiter({ pool }: World): Promise<boolean> {
  const { rows } = await pool.query(
    `select from pg_stat_activity
      where datname = current_database() and application_name = 'user-events' and wait_event_type = 'Lock'`,
  );
  return rows.length > 0;
}
