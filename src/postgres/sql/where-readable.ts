import { UserEventsError } from '../../errors/user-events-error.ts';
import { toUserEventsError } from '../errors.ts';
import type { Database } from '../pool.ts';

/**
 * Reads what is a help and no need: null where the database is away, refuses, or is not set up. Any other error is
 * thrown. `onUnreadable` is told why.
 */
export async function whereReadable<T>(
  { address }: Database,
  read: () => Promise<T>,
  onUnreadable: (error: UserEventsError) => void = () => undefined,
): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    const known = toUserEventsError(error, address);
    if (!(known instanceof UserEventsError)) throw known;
    onUnreadable(known);
    return null;
  }
}
