import { setTimeout as delay } from 'node:timers/promises';

import { backOffMs } from '../../domain/back-off.ts';
import { isTransient } from '../../postgres/errors.ts';
import type { Pool, PoolClient } from '../../postgres/pool.ts';
import { cutConnection } from '../../postgres/statement-watch.ts';
import { toLogError, type LogPlace } from './errors.ts';

/** `short`: the first failure is the answer. `long`: a log that is away is ridden out, for as long as it takes. */
export type Patience = 'short' | 'long';

/** The pool of one event log, and how failures on it are met. Statements find the log's tables by search_path. */
export interface LogConnection extends LogPlace {
  readonly pool: Pool;
  readonly patience: Patience;
  /** Aborts when the log is closed. */
  readonly closed: AbortSignal;
}

/** Told of every failure that is ridden out, and with null when it is over. */
export type OnTrouble = (trouble: { readonly message: string } | null) => void;

export interface Attempts {
  readonly patience: Patience;
  /** Ends the waiting: the log was closed, or the reader went away. */
  readonly signal: AbortSignal;
  readonly onTrouble?: OnTrouble | undefined;
}

/** A wait between two attempts is 1 s at most: what is back is noticed soon. */
const BACK_OFF = { initialMs: 100, maxMs: 1000 };

/**
 * Runs `work`; with patience again and again while its failure is one that passes and `signal` has not aborted.
 * Throws translated errors.
 */
export async function withPatience<T>(
  log: LogPlace,
  { patience, signal, onTrouble }: Attempts,
  work: () => Promise<T>,
): Promise<T> {
  for (let failures = 0; ;) {
    try {
      const result = await work();
      if (failures > 0) onTrouble?.(null);
      return result;
    } catch (error) {
      const translated = toLogError(error, log);
      if (patience === 'short' || !isTransient(error) || signal.aborted) throw translated;
      failures += 1;
      onTrouble?.({ message: translated.message });
      await delay(backOffMs(failures, Math.random(), BACK_OFF), undefined, { signal }).catch(() => {
        throw translated;
      });
    }
  }
}

/**
 * A statement without an answer for this long has lost its connection (a server that vanished says nothing, and TCP
 * notices after a quarter of an hour), ms. Appending waits for other transactions' commits at the worst.
 */
const DEADLINE_MS = 30_000;

interface Statement {
  /** Prepared once a connection under this name. */
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Runs one statement and returns its rows. */
export async function query<Row extends object>(
  log: LogConnection,
  statement: Statement,
): Promise<readonly Row[]> {
  return withClient(log, async (client) => {
    const { rows } = await client.query<Row>({ ...statement, values: [...statement.values] });
    return rows;
  });
}

/** Runs one statement and returns its rows as arrays of the server's own texts, which costs least. */
export async function queryTexts<Row extends unknown[]>(
  log: LogConnection,
  statement: Statement,
): Promise<readonly Row[]> {
  return withClient(log, async (client) => {
    const config = { ...statement, values: [...statement.values], rowMode: 'array' as const, types: AS_TEXT };
    const { rows } = await client.query<Row>(config);
    return rows;
  });
}

const AS_TEXT = { getTypeParser: () => (text: string) => text };

async function withClient<T>(log: LogConnection, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await log.pool.connect();
  const cut = (): void => {
    cutConnection(client);
  };
  const timer = setTimeout(cut, DEADLINE_MS);
  // Closing the log does not wait for a server that does not answer.
  log.closed.addEventListener('abort', cut, { once: true });
  let isLost = false;
  const onError = (): void => {
    isLost = true;
  };
  client.on('error', onError);
  try {
    return await work(client);
  } finally {
    clearTimeout(timer);
    log.closed.removeEventListener('abort', cut);
    client.off('error', onError);
    client.release(isLost);
  }
}
