import { setTimeout as delay } from 'node:timers/promises';
import { backOffMs } from '../../domain/back-off.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import { outcomeOf, type Ours } from '../../postgres/sql/outcome.ts';

/** A command is not a consumer: it gives up after so many conflicts, about 3 s of them. */
const ATTEMPTS = 12;

const TIMED_OUT = 'A lock is held for longer than statement_timeout: try again when it is released.';

/**
 * Runs a transaction of a command again when it met another one (serialisation, deadlock, a stale fact), a bounded
 * number of times; `work` is told which attempt it is, from 1. Everything else is thrown as it came, so that the border can translate it.
 */
export async function repeatOnConflict<T>(
  ours: Ours,
  signal: AbortSignal,
  work: (attempt: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await outcomeOf(ours, () => work(attempt));
    switch (outcome.kind) {
      case 'done':
        return outcome.value;
      case 'cancelled':
        if (attempt === ATTEMPTS)
          throw new UserEventsError('DATABASE_REFUSED', outcome.error.message, { hint: TIMED_OUT });
        await delay(backOffMs(attempt, Math.random(), { maxMs: 500 }), undefined, { signal });
        break;
      case 'transient':
      case 'stale':
        if (attempt === ATTEMPTS) throw outcome.error;
        await delay(backOffMs(attempt, Math.random(), { maxMs: 500 }), undefined, { signal });
        break;
      case 'unknown':
      case 'stop':
        throw outcome.error;
      case 'fenced':
      case 'refused':
        throw new Error(
          `a transaction of ours was refused: ${outcome.kind === 'fenced' ? 'fenced' : outcome.error.message}`,
        );
    }
  }
}
