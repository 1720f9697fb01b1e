import type { ExistingEntry } from '../../domain/history.ts';
import { withPending } from '../../domain/pending.ts';
import { Outlooks } from '../../domain/outlooks.ts';
import { readExistence, readHistories } from '../../postgres/sql/read-history.ts';
import { inTransaction, type Database } from '../../postgres/transaction.ts';
import type { Ledger } from '../consume/open-group.ts';
import { dealtOut, readPortions, slices, type ReadUser } from './portions.ts';
import type { UserTargets } from './targets.ts';
import { toPending, type PendingEvent } from '../log/pending-event.ts';
import type { Ahead } from '../log/read-pending.ts';
import { tryOut } from './try-out.ts';
import type { PlannedUser, PlanRequest, UserPlan } from './user-plan.ts';

/** Histories in portions: of a bulk of many users they would not fit into memory all at once. */
const DECIDED_AT_ONCE = 1000;
/** The first portion of a bulk: soon sent, so that the consumers have something to do while the rest is decided. */
const DECIDED_FIRST = 200;
/** Each is tried out: an interruption is heard behind so many. */
const TRIED_OUT_AT_ONCE = 50;
const NONE: readonly never[] = [];
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
  const { isThorough, signal, onProgress } = request;
  const { pool, schema } = database;
  let done = 0;
  const isTriedOut = isThorough || users.length <= MOST_TRIED_OUT;
  const read = (ids: readonly string[]) =>
    inTransaction(pool, 'read committed', (client) => readExistence(client, schema, ids));
  const portions = isTriedOut
    ? tryPortions(database, ledger, users, request)
    : planRead(
        database,
        ledger,
        readPortions(dealtOut(users, DECIDED_AT_ONCE, DECIDED_FIRST), signal, read),
        request,
      );
  for await (const plans of portions) {
    onProgress((done += plans.length), users.length);
    yield plans;
  }
}

/** Plans that are decided alone, on histories that were read already. */
export async function* planRead(
  database: Database,
  ledger: Ledger,
  portions: AsyncGenerator<readonly ReadUser<ExistingEntry>[], void>,
  request: Pick<PlanRequest, 'ahead' | 'mode'>,
): AsyncGenerator<readonly UserPlan[], void> {
  const outlooks = new Outlooks(request.mode, ledger.rules);
  for await (const users of portions) {
    const plans = users.map((user) => decide(outlooks, user, request.ahead));
    yield await withFailedHere(database, plans);
  }
}

async function* tryPortions(
  database: Database,
  ledger: Ledger,
  all: readonly UserTargets[],
  request: PlanRequest,
): AsyncGenerator<readonly UserPlan[], void> {
  const { pool, schema } = database;
  const read = (ids: readonly string[]) => readHistories(pool, schema, ids);
  const portions = readPortions(slices(all, TRIED_OUT_AT_ONCE), request.signal, read);
  const outlooks = new Outlooks(request.mode, ledger.rules);
  for await (const users of portions) {
    const planned = users.map((user): PlannedUser => {
      const plan = decide(outlooks, user, request.ahead);
      return { plan, history: user.history, ahead: request.ahead.byUser.get(user.userId) ?? [] };
    });
    yield await withFailedHere(database, await tryOut(database, ledger, planned, request));
  }
}

/** What is withdrawn already with the rollback that could not be executed here; of those alone all of a history is read. */
async function withFailedHere(
  { pool, schema }: Database,
  plans: readonly UserPlan[],
): Promise<readonly UserPlan[]> {
  const isDone = ({ outlook: { kind }, underWay }: UserPlan): boolean =>
    kind === 'already' && underWay === null;
  const done = plans.filter(isDone).map(({ userId }) => userId);
  if (done.length === 0) return plans;
  const histories = await readHistories(pool, schema, done);
  return plans.map((plan) => {
    const failed = isDone(plan)
      ? histories
          .get(plan.userId)
          ?.findLast(
            ({ withdraws, status }) =>
              status === 'failed' && plan.targets.some((id) => withdraws?.includes(id)),
          )
      : undefined;
    return failed === undefined
      ? plan
      : { ...plan, failedHere: { eventId: failed.eventId, error: failed.error } };
  });
}

function decide(
  outlooks: Outlooks,
  { userId, rows, history }: ReadUser<ExistingEntry>,
  { byUser }: Ahead,
): UserPlan {
  const ahead = byUser.get(userId) ?? NONE;
  const targets = rows.map(({ eventId }) => eventId);
  const coming = withPending(history, ahead);
  const view = outlooks.of(coming, targets);
  const pending = ahead.length === 0 ? NONE : ahead.map(toPending);
  return {
    userId,
    targets,
    // Behind everything that it may list, also where partitions were added since.
    partition: coming.at(-1)?.partition ?? 0,
    outlook: view,
    pending,
    underWay: underWayOf(pending),
    failedHere: null,
    isTriedOut: false,
    now: null,
    then: null,
    changes: NONE,
    obstacle: null,
  };

  function underWayOf(all: readonly PendingEvent[]): PendingEvent | null {
    if (all.length === 0 || view.kind !== 'already') return null;
    if (outlooks.of(history, targets).kind === 'already') return null;
    const withdrawing = coming.findLast(
      ({ withdraws }) => withdraws?.some((id) => targets.includes(id)) ?? false,
    );
    return all.find(({ eventId }) => eventId === withdrawing?.eventId) ?? null;
  }
}
