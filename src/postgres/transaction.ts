import type { Pool, PoolClient } from './pool.ts';
import { quoteLiteral } from './sql-text.ts';

// Use cases name these types; making a pool is the composition root's.
export type { Database, Pool, PoolClient } from './pool.ts';

/** The server answered COMMIT with ROLLBACK: the transaction was aborted and nothing of it was kept. */
export class CommitRefusedError extends Error {
  override readonly name = 'CommitRefusedError';
}

/**
 * The connection was lost between sending COMMIT and its answer: the outcome is unknown. The caller settles it by the
 * position (DESIGN 4).
 */
export class CommitUnknownError extends Error {
  override readonly name = 'CommitUnknownError';
}

/**
 * Runs `work` in one transaction on one connection and commits. Whatever `work` throws aborts it and is thrown on.
 * PostgreSQL answers the COMMIT of an aborted transaction with the tag ROLLBACK and no error, so the tag is read.
 */
export async function inTransaction<T>(
  pool: Pool,
  isolation: 'read committed' | 'repeatable read',
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  const onError = (error: Error): void => {
    broken = error;
  };
  client.on('error', onError);
  try {
    // Immediate: a deferred constraint speaks in the statement that broke it, where the event is still known. And no
    // statement of ours runs as long as it takes to be compiled, however expensive it looks without statistics.
    await client.query(
      `begin isolation level ${isolation}; set constraints all immediate; set local jit = off`,
    );
    let result: T;
    try {
      result = await work(client);
    } catch (error) {
      await client.query('rollback').catch((lost: unknown) => {
        broken ??= lost instanceof Error ? lost : new Error(String(lost));
      });
      throw error;
    }
    await commit(client).catch((error: unknown) => {
      if (error instanceof CommitUnknownError) broken ??= error;
      throw error;
    });
    return result;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

/**
 * Has the server end this transaction when its client stands still for a minute: a process that was stopped in it
 * (Ctrl-Z, a debugger) would hold back the consumer whose position it has locked.
 */
export async function limitIdling(client: PoolClient): Promise<void> {
  await client.query(`set local idle_in_transaction_session_timeout = '60s'`);
}

/**
 * Runs `work` in a transaction that sees one state of the database: a new snapshot, or the one of another connection by
 * the id that its `work` was given. For reading: it is aborted at the end, so temporary objects go with it.
 */
export async function readInSnapshot<T>(
  pool: Pool,
  snapshot: string | null,
  work: (client: PoolClient, snapshot: string) => Promise<T>,
): Promise<T> {
  let result: { readonly value: T } | undefined;
  try {
    await inTransaction(pool, 'repeatable read', async (client) => {
      if (snapshot !== null) await client.query(`set transaction snapshot ${quoteLiteral(snapshot)}`);
      const id = snapshot ?? (await exportSnapshot(client));
      result = { value: await work(client, id) };
      throw new ReadToEndError();
    });
  } catch (error) {
    if (!(error instanceof ReadToEndError)) throw error;
  }
  if (result === undefined) throw new Error('a transaction ended without its work');
  return result.value;
}

class ReadToEndError extends Error {
  override readonly name = 'ReadToEndError';
}

async function exportSnapshot(client: PoolClient): Promise<string> {
  const { rows } = await client.query<{ id: string }>('select pg_export_snapshot() as id');
  const [row] = rows;
  if (row === undefined) throw new Error('pg_export_snapshot answered with no row');
  return row.id;
}

async function commit(client: PoolClient): Promise<void> {
  let tag: string;
  try {
    tag = (await client.query('commit')).command;
  } catch (error) {
    if (isServerError(error)) throw error;
    throw new CommitUnknownError('The connection was lost while COMMIT was under way', { cause: error });
  }
  if (tag !== 'COMMIT') throw new CommitRefusedError(`COMMIT was answered with ${tag}`);
}

/** True where the server itself answered with an error (it has a five-character SQLSTATE). */
function isServerError(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    /^[0-9A-Z]{5}$/.test(error.code) &&
    error.code !== '57P01'
  );
}

/** Runs `work` behind a savepoint: what it throws is undone and thrown on, the transaction goes on. */
export async function savepoint<T>(client: PoolClient, work: () => Promise<T>): Promise<T> {
  await client.query('savepoint step');
  try {
    const result = await work();
    await client.query('release savepoint step');
    return result;
  } catch (error) {
    await client.query('rollback to savepoint step; release savepoint step');
    throw error;
  }
}
