import type { LogEvent, RollbackMode } from '../../domain/event.ts';
import type { ExistingEntry } from '../../domain/history.ts';
import { withPending } from '../../domain/pending.ts';
import { outlook } from '../../domain/rollback-plan.ts';
import { readExistence, readHistories } from '../../postgres/sql/read-history.ts';
import { inTransaction, type Database } from '../../postgres/transaction.ts';
import type { Ledger } from '../consume/open-group.ts';
import { dealtOut, readPortions, slices, type ReadPortion } from './portions.ts';
import type { UserTargets } from './targets.ts';
import { toPending } from '../log/pending-event.ts';
import { tryOut } from './try-out.ts';
import type { PlannedUser, PlanRequest, UserPlan } from './user-plan.ts';

/** Histories in portions: of a bulk of many users they would not fit into memory all at once. */
const DECIDED_AT_ONCE = 1000;
/** The first portion of a bulk: soon sent, so that the consumers have something to do while the rest is decided. */
const DECIDED_FIRST = 200;
/** Each is tried out: an interruption is heard behind so many. */
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
  const { isThorough, ahead, mode, signal, onProgress } = request;
  const { pool, schema } = database;
  const planOf: PlanOf = (user, history) =>
    decide(ledger, user, history, ahead.byUser.get(user.userId) ?? [], mode);
  let done = 0;
  const isTriedOut = isThorough || users.length <= MOST_TRIED_OUT;
  const portions = isTriedOut
    ? tryPortions(database, ledger, users, request, planOf)
    : decidePortions(
        readPortions(dealtOut(users, DECIDED_AT_ONCE, DECIDED_FIRST), signal, (ids) =>
          inTransaction(pool, 'read committed', (client) => readExistence(client, schema, ids)),
        ),
        planOf,
      );
  for await (const plans of portions) {
    onProgress((done += plans.length), users.length);
    yield await withFailedHere(database, plans);
  }
}

type PlanOf = (user: UserTargets, history: readonly ExistingEntry[]) => UserPlan;

async function* decidePortions(
  portions: AsyncGenerator<ReadPortion<ExistingEntry>, void>,
  planOf: PlanOf,
): AsyncGenerator<readonly UserPlan[], void> {
  for await (const { users, historyOf } of portions) yield users.map((user) => planOf(user, historyOf(user)));
}

async function* tryPortions(
  database: Database,
  ledger: Ledger,
  all: readonly UserTargets[],
  request: PlanRequest,
  planOf: PlanOf,
): AsyncGenerator<readonly UserPlan[], void> {
  const { pool, schema } = database;
  const read = (ids: readonly string[]) => readHistories(pool, schema, ids);
  const portions = readPortions(slices(all, TRIED_OUT_AT_ONCE), request.signal, read);
  for await (const { users, historyOf } of portions) {
    const planned = users.map((user): PlannedUser => {
      const history = historyOf(user);
      return { plan: planOf(user, history), history, ahead: request.ahead.byUser.get(user.userId) ?? [] };
    });
    yield await tryOut(database, ledger, planned, request);
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
  { rules }: Ledger,
  { userId, rows }: UserTargets,
  history: readonly ExistingEntry[],
  ahead: readonly LogEvent[],
  mode: RollbackMode | null,
): UserPlan {
  const targets = rows.map(({ eventId }) => eventId);
  const wish = { targets, mode, rules };
  const coming = withPending(history, ahead);
  const view = outlook(coming, wish);
  const pending = ahead.map(toPending);
  const isUnderWay = view.kind === 'already' && ahead.length > 0 && outlook(history, wish).kind !== 'already';
  const newest = isUnderWay
    ? coming.findLast(({ withdraws }) => withdraws?.some((id) => targets.includes(id)) ?? false)
    : undefined;
  const underWay = newest === undefined ? null : pending.find(({ eventId }) => eventId === newest.eventId);
  return {
    userId,
    targets,
    // Behind everything that it may list, also where partitions were added since.
    partition: coming.at(-1)?.partition ?? 0,
    outlook: view,
    pending,
    underWay: underWay ?? null,
    failedHere: null,
    isTriedOut: false,
    now: null,
    then: null,
    changes: [],
    obstacle: null,
  };
}
