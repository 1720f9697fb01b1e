import type { UserEventsError } from '../../errors/user-events-error.ts';
import type { Database } from '../../postgres/transaction.ts';
import { readStatuses } from '../../postgres/sql/read-statuses.ts';
import { whereReadable } from '../../postgres/sql/where-readable.ts';

/** After a failed look-up none is tried for so long: a page must not wait for a database that is away. ms. */
const PAUSE_MS = 5000;

/** The statuses of events by id, `pending` where this service has not decided; null where its ledger cannot be read. */
export type StatusLookup = (eventIds: readonly string[]) => Promise<readonly string[] | null>;

/** No database: no statuses. */
export const noStatuses: StatusLookup = () => Promise.resolve(null);

/**
 * Looks statuses up in this service's ledger, one query a page. A database that is away, refuses, or is not set up, costs
 * the statuses, not the page; it is asked again later. It is told once
 * why. `isNeeded`: then its error is thrown, as the driver has it.
 */
export function createStatusLookup(
  db: Database,
  isNeeded: boolean,
  now: () => number,
  onUnreadable: (error: UserEventsError) => void,
): StatusLookup {
  let pausedUntil = 0;
  let isTold = false;
  const tell = (error: UserEventsError): void => {
    if (!isTold) onUnreadable(error);
    isTold = true;
  };
  return async (eventIds) => {
    if (now() < pausedUntil) return null;
    const read = () => readStatuses(db.pool, db.schema, eventIds);
    const statuses = await (isNeeded ? read() : whereReadable(db, read, tell));
    if (statuses === null) pausedUntil = now() + PAUSE_MS;
    return statuses === null ? null : eventIds.map((eventId) => statuses.get(eventId)?.status ?? 'pending');
  };
}
