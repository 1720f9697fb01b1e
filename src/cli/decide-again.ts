import { openLedger } from '../app/consume/open-group.ts';
import { decideAgain, type DecidedAgain } from '../app/decide-again.ts';
import { areNamed, failedEventIds } from '../app/failures/choose.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import type { Context } from './context.ts';
import { confirmAction, type Consent } from './guard.ts';
import type { Progress } from './progress.ts';
import type { Prompts } from './prompts.ts';
import { chosenEvents } from './target-flags.ts';

interface DecideAgainInput {
  readonly kind: 'retry' | 'skip';
  readonly context: Context;
  readonly ids: readonly string[];
  readonly flags: Parameters<typeof chosenEvents>[1] & Consent;
  readonly force: boolean;
  readonly maxAttempts: number | null;
  readonly reason: string | null;
  readonly prompts: Prompts;
  readonly progress: Progress;
}

/**
 * What `retry` and `skip` share: which events, a question before many or in production, progress. Throws USAGE where no
 * event is named, NO_TERMINAL, PRODUCTION_GUARD or DECLINED where it is not confirmed, EVENT_NOT_FOUND, INTERRUPTED.
 */
export async function decideAgainFor(input: DecideAgainInput): Promise<readonly DecidedAgain[]> {
  const { kind, context, flags, force, maxAttempts, reason, prompts, progress } = input;
  const chosen = await chosenEvents(input.ids, flags, context.now());
  if (chosen === null) {
    const hint = 'Name events, or choose failed ones with --all-failed, --from-file or filters.';
    throw new UserEventsError('USAGE', `No event to ${kind} is named`, { hint });
  }
  const database = await context.database();
  const ledger = await openLedger(database);
  const eventIds = areNamed(chosen) ? chosen : await failedEventIds(database, chosen);
  if (eventIds.length === 0) return [];
  const { config, signal } = context;
  if (config.isProduction || !areNamed(chosen)) {
    const events = `${String(eventIds.length)} failed ${eventIds.length === 1 ? 'event' : 'events'}`;
    await confirmAction(prompts, config, flags, `${kind} ${events}?`);
  }
  const { operator } = config;
  const onProgress = (done: number, total: number): void => {
    progress.update(done, total);
  };
  const request = { kind, eventIds, operator, reason, force, maxAttempts, signal, onProgress };
  try {
    return await decideAgain(database, ledger, request);
  } finally {
    progress.stop();
  }
}
