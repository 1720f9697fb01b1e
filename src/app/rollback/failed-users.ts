import type { ExistingEntry } from '../../domain/history.ts';
import { readFailedUsers, type BulkFilter, type FailedUser } from '../../postgres/sql/read-failed-users.ts';
import { inTransaction, type Database } from '../../postgres/transaction.ts';
import type { ReadUser } from './portions.ts';

/** Users that are read at once. */
const READ_AT_ONCE = 1000;
/** The first of them: soon sent, so that the consumers have something to do while the rest is read. */
const READ_FIRST = 400;

type FailedPortions = AsyncGenerator<readonly ReadUser<ExistingEntry>[], void>;

/**
 * Users with failed events that are wanted, and their histories, by portions in the order of their ids. Begins at once, and
 * reads a portion ahead: the server reads while we decide. Throws where the signal says so.
 */
export function readFailedPortions(
  { pool, schema }: Database,
  bulk: BulkFilter,
  signal: AbortSignal,
): FailedPortions {
  const read: ReadPage = (after, limit) => {
    const users = inTransaction(pool, 'read committed', (client) =>
      readFailedUsers(client, schema, bulk, after, limit),
    );
    // Awaited a portion later: until then its failure is nobody's.
    users.catch(() => undefined);
    return users;
  };
  return pagesBehind(read(null, READ_FIRST), read, signal);
}

type ReadPage = (after: string | null, limit: number) => Promise<readonly FailedUser[]>;

async function* pagesBehind(
  first: Promise<readonly FailedUser[]>,
  read: ReadPage,
  signal: AbortSignal,
): FailedPortions {
  let page = first;
  for (let limit = READ_FIRST; ; limit = READ_AT_ONCE) {
    signal.throwIfAborted();
    const users = await page;
    const last = users.at(-1);
    if (last === undefined) return;
    const isLast = users.length < limit;
    if (!isLast) page = read(last.userId, READ_AT_ONCE);
    yield users;
    if (isLast) return;
  }
}
