import { UserEventsError } from '../../errors/user-events-error.ts';
import { toUserEventsError } from '../errors.ts';
import type { Database } from '../pool.ts';

/**
 * Reads what is a help and no need: null where the database is away, refuses, or is not set up. Any other error is
 * thrown.
 */
export async function whereReadable<T>({ address }: Database, read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    const known = toUserEventsError(error, address);
    if (known instanceof UserEventsError) return null;
    throw known;
  }
}
