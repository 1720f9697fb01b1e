import { setTimeout as delay } from 'node:timers/promises';

import { backOffMs } from '../../domain/back-off.ts';
import { quoteIdentifier } from '../../postgres/sql-text.ts';
import type { LogConnection } from './connection.ts';

type Listener = (payload: string) => void;

/**
 * Listens for what the log announces (`records <topic id>`, `group <topic id> <group>`: migrations/log, group.ts). One
 * connection, while anybody listens; a lost one is made anew, and what was missed meanwhile is the poll's to find.
 */
export class Arrivals {
  readonly #log: LogConnection;
  readonly #listeners = new Set<Listener>();
  #running: Promise<void> | undefined;
  #idle = new AbortController();

  constructor(log: LogConnection) {
    this.#log = log;
  }

  /** Calls `listener` with every payload until the returned function is called. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#idle.abort();
    };
  }

  /** Settles when the connection is given back. */
  async stopped(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let failures = 0; this.#listeners.size > 0 && !this.#log.closed.aborted;) {
      this.#idle = new AbortController();
      const ends = AbortSignal.any([this.#idle.signal, this.#log.closed]);
      try {
        await this.#listenOnce(ends, () => {
          failures = 0;
        });
      } catch {
        // Whatever is wrong here, the readers' own statements meet it too, and tell it.
        failures += 1;
        await delay(backOffMs(failures, Math.random(), { maxMs: 1000 }), undefined, { signal: ends }).catch(
          () => undefined,
        );
      }
    }
  }

  async #listenOnce(ends: AbortSignal, onListening: () => void): Promise<void> {
    const client = await this.#log.pool.connect();
    const lost = new Promise<never>((_, reject) => {
      client.once('error', reject);
      client.once('end', () => {
        reject(new Error('The connection that listens has ended'));
      });
    });
    client.on('notification', this.#tell);
    try {
      await Promise.race([client.query(`listen ${quoteIdentifier(this.#log.schema)}`), lost]);
      onListening();
      await Promise.race([aborted(ends), lost]);
    } finally {
      client.off('notification', this.#tell);
      client.on('error', () => undefined);
      // Closed rather than given back: it still listens.
      client.release(true);
    }
  }

  readonly #tell = ({ payload }: { readonly payload?: string | undefined }): void => {
    for (const listener of this.#listeners) listener(payload ?? '');
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener(
      'abort',
      () => {
        resolve();
      },
      { once: true },
    );
  });
}
