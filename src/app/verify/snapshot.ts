import { readInSnapshot, type Pool, type PoolClient } from '../../postgres/transaction.ts';

/** Connections that read one snapshot together: the second core of a server is worth having, more were no faster. */
const CONNECTIONS = 2;

/**
 * Runs `work` on connections that all see the same state of the database, whatever is committed meanwhile. The first one
 * is `clients[0]`. Nothing is written; the transactions end with it.
 */
export async function withSnapshot<T>(
  pool: Pool,
  work: (clients: readonly [PoolClient, ...PoolClient[]]) => Promise<T>,
): Promise<T> {
  return readInSnapshot(pool, null, async (client, id) => {
    const join = (clients: readonly [PoolClient, ...PoolClient[]]): Promise<T> =>
      clients.length === CONNECTIONS
        ? work(clients)
        : readInSnapshot(pool, id, (next) => join([...clients, next]));
    return join([client]);
  });
}
