import { setTimeout as delay } from 'node:timers/promises';
import { UserEventsError } from '../../errors/user-events-error.ts';
import { readOutcomes, type OutcomeRow } from '../../postgres/sql/read-targets.ts';
import type { Database } from '../../postgres/transaction.ts';
import type { SentRollback } from './send.ts';

const LOOK_EVERY_MS = 50;

/**
 * Waits until this service's consumer has decided what was sent, and says how. TIMED_OUT after `timeoutMs`: what was
 * sent stays sent.
 */
export async function awaitOutcomes(
  database: Database,
  sent: readonly SentRollback[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<readonly SentRollback[]> {
  const ids = sent.flatMap(({ eventId }) => eventId ?? []);
  const until = performance.now() + timeoutMs;
  for (;;) {
    const outcomes = await readOutcomes(database.pool, database.schema, ids);
    if (outcomes.size === ids.length)
      return sent.map((each) => ({ ...each, ...settled(outcomes.get(each.eventId ?? '')) }));
    if (performance.now() > until) {
      const open = ids.length - outcomes.size;
      throw new UserEventsError(
        'TIMED_OUT',
        `${String(open)} of ${String(ids.length)} rollbacks are sent and not executed yet`,
      );
    }
    await delay(LOOK_EVERY_MS, undefined, { signal });
  }
}

function settled(outcome: OutcomeRow | undefined): Partial<SentRollback> {
  if (outcome === undefined) return {};
  const { status, code, message } = outcome;
  // A rollback that was rolled back in the meantime had been accepted.
  return { outcome: status === 'failed' || status === 'refused' ? status : 'applied', code, message };
}
