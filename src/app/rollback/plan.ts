import type { LogEvent, RollbackMode } from '../../domain/event.ts';
import type { HistoryEntry } from '../../domain/history.ts';
import { withPending } from '../../domain/pending.ts';
import { outlook } from '../../domain/rollback-plan.ts';
import { readHistories, readHistoriesToDecide } from '../../postgres/sql/read-history.ts';
import type { Database } from '../../postgres/transaction.ts';
import type { Ledger } from '../consume/open-group.ts';
import type { UserTargets } from './targets.ts';
import { toPending } from '../log/pending-event.ts';
import { tryOut } from './try-out.ts';
import type { PlannedUser, PlanRequest, UserPlan } from './user-plan.ts';

/**
 * Histories in portions: of a bulk of many users they would not fit into memory all at once. Smaller where each user is
 * tried out, so that an interruption is heard.
 */
const DECIDED_AT_ONCE = 1000;
/** The first portion of a bulk: soon sent, so that the consumers have something to do while the rest is decided. */
const DECIDED_FIRST = 200;
const TRIED_OUT_AT_ONCE = 50;
/** A plan for people, who read some screens at the most. */
export const MOST_TRIED_OUT = 50;

/**
 * Plans a rollback on this service's ledger and on what lies ahead of it in the log: one plan a user. What would happen is
 * not guessed: it is executed by the path that the consumer takes, in a transaction that is aborted (ADR 0003).
 * INTERRUPTED between two portions.
 */
export async function planRollback(
  database: Database,
  ledger: Ledger,
  users: readonly UserTargets[],
  request: PlanRequest,
): Promise<readonly UserPlan[]> {
  const plans: UserPlan[] = [];
  for await (const portion of planInPortions(database, ledger, users, request)) plans.push(...portion);
  return plans;
}

/** The same, portion by portion: what is planned can be sent while the rest is being planned. */
export async function* planInPortions(
  database: Database,
  ledger: Ledger,
  users: readonly UserTargets[],
  request: PlanRequest,
): AsyncGenerator<readonly UserPlan[], void> {
  const { isThorough, ahead, signal, onProgress } = request;
  const isTriedOut = isThorough || users.length <= MOST_TRIED_OUT;
  const portionFrom = (from: number): readonly UserTargets[] => {
    const decided = from === 0 ? DECIDED_FIRST : DECIDED_AT_ONCE;
    return users.slice(from, from + (isTriedOut ? TRIED_OUT_AT_ONCE : decided));
  };
  // A portion ahead: the server reads while we decide.
  const readFrom = (from: number): ReturnType<typeof readHistories> => {
    const ids = portionFrom(from).map(({ userId }) => userId);
    const read = (isTriedOut ? readHistories : readHistoriesToDecide)(database.pool, database.schema, ids);
    // Awaited a portion later: until then its failure is nobody's.
    read.catch(() => undefined);
    return read;
  };
  let reading = readFrom(0);
  for (let from = 0; from < users.length;) {
    signal.throwIfAborted();
    const portion = portionFrom(from);
    const histories = await reading;
    from += portion.length;
    if (from < users.length) reading = readFrom(from);
    const planned = portion.map((user): PlannedUser => {
      const history = histories.get(user.userId) ?? [];
      const pending = ahead.byUser.get(user.userId) ?? [];
      return { plan: decide(ledger, user, history, pending, request.mode), history, ahead: pending };
    });
    const plans = isTriedOut
      ? await tryOut(database, ledger, planned, request)
      : planned.map(({ plan }) => plan);
    onProgress(from, users.length);
    yield plans;
  }
}

function decide(
  { rules }: Ledger,
  { userId, rows }: UserTargets,
  history: readonly HistoryEntry[],
  ahead: readonly LogEvent[],
  mode: RollbackMode | null,
): UserPlan {
  const targets = rows.map(({ eventId }) => eventId);
  const coming = withPending(history, ahead);
  const view = outlook(coming, { targets, mode, rules });
  const isKnown = view.kind === 'already' && outlook(history, { targets, mode, rules }).kind === 'already';
  const newest = coming.findLast(({ withdraws }) => withdraws?.some((id) => targets.includes(id)) ?? false);
  const pending = ahead.map(toPending);
  const underWay =
    view.kind === 'already' && !isKnown ? pending.find(({ eventId }) => eventId === newest?.eventId) : null;
  const failed = isKnown
    ? history.findLast(
        ({ withdraws, status }) => status === 'failed' && targets.some((id) => withdraws?.includes(id)),
      )
    : undefined;
  return {
    userId,
    targets,
    // Behind everything that it may list, also where partitions were added since.
    partition: coming.at(-1)?.partition ?? 0,
    outlook: view,
    pending,
    underWay: underWay ?? null,
    failedHere: failed === undefined ? null : { eventId: failed.eventId, error: failed.error },
    isTriedOut: false,
    now: null,
    then: null,
    changes: [],
    obstacle: null,
  };
}
