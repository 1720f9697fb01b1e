import { openLedger } from '../app/consume/open-group.ts';
import { decideAgain, failedEventIds, type DecidedAgain } from '../app/decide-again.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import type { Context } from './context.ts';
import type { Progress } from './progress.ts';
import type { Prompts } from './prompts.ts';
import { readEventIds } from './rollback-choice.ts';

interface DecideAgainInput {
  readonly kind: 'retry' | 'skip';
  readonly context: Context;
  readonly ids: readonly string[];
  readonly file: string | undefined;
  readonly isAllFailed: boolean;
  readonly force: boolean;
  readonly reason: string | null;
  readonly yes: boolean;
  readonly prompts: Prompts;
  readonly progress: Progress;
}

/**
 * What `retry` and `skip` share: which events, a question before many or in production, progress. Throws USAGE where no
 * event is named, NO_TERMINAL or DECLINED where it is not confirmed, EVENT_NOT_FOUND.
 */
export async function decideAgainFor(input: DecideAgainInput): Promise<readonly DecidedAgain[]> {
  const { kind, context, force, reason, prompts, progress } = input;
  const named = await readEventIds(input.ids, input.file);
  if (named.length === 0 && !input.isAllFailed) {
    const hint = `Name events, or use --all-failed.`;
    throw new UserEventsError('USAGE', `No event to ${kind} is named`, { hint });
  }
  const database = await context.database();
  const ledger = await openLedger(database);
  const eventIds = input.isAllFailed ? await failedEventIds(database) : named;
  if (eventIds.length === 0) return [];
  const { isProduction, profile, operator } = context.config;
  const typed = isProduction && profile !== null ? { typed: profile } : {};
  if (isProduction || input.isAllFailed) {
    await prompts.confirm(`${kind} ${String(eventIds.length)} failed events?`, { yes: input.yes, ...typed });
  }
  try {
    return await decideAgain(database, ledger, {
      kind,
      eventIds,
      operator,
      reason,
      force,
      signal: context.signal,
      onProgress: (done, total) => {
        progress.update(done, total);
      },
    });
  } finally {
    progress.stop();
  }
}
