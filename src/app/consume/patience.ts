import { setTimeout as delay } from 'node:timers/promises';
import { backOffMs } from '../../domain/back-off.ts';
import { isConflict, outcomeOf, type Ours } from '../../postgres/sql/outcome.ts';

/** The position is another's, or moved: no right to go on. */
export class FencedError extends Error {
  override readonly name = 'FencedError';
}

/**
 * The position lies before what this consumer has read: the database lost commits that it had answered (a fail-over to
 * a standby that lagged, a restored backup). What was executed since has to be read again from the log.
 */
export class PositionLostError extends Error {
  override readonly name = 'PositionLostError';
}

/** The consumer is to stop: what is left is for the next one. */
export class StoppedError extends Error {
  override readonly name = 'StoppedError';
}

export interface PatienceContext {
  readonly ours: Ours;
  /** Aborted when the consumer is to stop: nothing new is begun, what is under way is finished. */
  readonly signal: AbortSignal;
  /** Told that the database is away (and how it says so), and with null that it is back. */
  readonly onTrouble: (error: Error | null) => void;
}

/** Transactions meet beside retries, skips and rollbacks. So many conflicts in a row, some 1.5 s, are no trouble yet. */
const CONFLICTS = 4;

/** Rides out a database that is away: waits longer after every attempt, for as long as it takes. */
export class Patience {
  #attempt = 0;
  #isTold = false;
  readonly #context: PatienceContext;

  constructor(context: PatienceContext) {
    this.#context = context;
  }

  /** The database answered: the next trouble begins with the shortest wait. */
  relax(): void {
    if (this.#isTold) this.#context.onTrouble(null);
    this.#attempt = 0;
    this.#isTold = false;
  }

  /** Backs off before the next attempt; StoppedError when the consumer is to stop. */
  async wait(error: Error): Promise<void> {
    const { signal, onTrouble } = this.#context;
    this.#attempt++;
    if (this.#isTold || this.#attempt > CONFLICTS || !isConflict(error)) {
      this.#isTold = true;
      onTrouble(error);
    }
    const ms = backOffMs(this.#attempt, Math.random());
    await delay(ms, undefined, { signal }).catch(() => {
      throw new StoppedError('stopped while the database was away');
    });
  }

  /** Runs a statement that may be repeated, until the database answers. Throws what stops the consumer. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      const outcome = await outcomeOf(this.#context.ours, work);
      switch (outcome.kind) {
        case 'done':
          this.relax();
          return outcome.value;
        case 'transient':
        case 'unknown':
        case 'stale':
          await this.wait(outcome.error);
          break;
        case 'fenced':
          throw new FencedError('the position moved');
        case 'cancelled':
          // statement_timeout while somebody held a lock: nobody's fault.
          await this.wait(new Error(outcome.error.message));
          break;
        case 'refused':
          throw new Error(`a statement of ours was refused: ${outcome.error.message}`);
        case 'stop':
          throw outcome.error;
      }
    }
  }
}
