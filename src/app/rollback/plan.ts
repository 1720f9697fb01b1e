import type { EventError } from '../../domain/column-values.ts';
import type { JsonObject, RollbackMode, Status } from '../../domain/event.ts';
import { rollbackEntry, type HistoryEntry } from '../../domain/history.ts';
import { outlook, type RollbackOutlook } from '../../domain/rollback-plan.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import { inTransaction, type Database, type PoolClient } from '../../postgres/transaction.ts';
import { readHistories } from '../../postgres/sql/read-history.ts';
import { readTargets, type TargetRow } from '../../postgres/sql/read-targets.ts';
import { readRows } from '../../postgres/sql/read-rows.ts';
import type { Ledger } from '../consume/open-group.ts';
import { reconcile } from '../reconcile/reconcile.ts';
import { repeatOnConflict } from '../reconcile/repeat.ts';

/** What a rollback of one user's events would do in this service, tried out and undone. */
export interface UserPlan {
  readonly userId: string;
  readonly targets: readonly string[];
  /** Where the compensating event goes: the partition of the user's newest event. */
  readonly partition: number;
  readonly outlook: RollbackOutlook;
  /** The row now, and as it would be; null = there is none. */
  readonly now: JsonObject | null;
  readonly then: JsonObject | null;
  /** Events whose status would change, in order. */
  readonly changes: readonly {
    readonly eventId: string;
    readonly operation: string | null;
    readonly from: Status;
    readonly to: Status;
  }[];
  /** Why it could not be executed here as things are (drift, say); it would be recorded as failed. */
  readonly obstacle: EventError | null;
}

export interface PlanRequest {
  readonly eventIds: readonly string[];
  readonly mode: RollbackMode | null;
  readonly force: boolean;
  /** False for many events: decided, but not tried out; rows and changes stay empty. */
  readonly isDetailed: boolean;
  readonly signal: AbortSignal;
}

const USERS_AT_ONCE = 500;
/** For an id that the ledger does not have. */
export const NOT_READ_YET =
  'Check the id. If the log has it, this service has not read it yet: `user-events consume --until-end`.';

const NOT_MADE_YET = '00000000-0000-0000-0000-000000000000';

/** The plan's transaction is always aborted: by this. */
class TriedOut extends Error {}

/**
 * Plans a rollback on this service's ledger: one plan a user. What would happen is not guessed: it is executed by the
 * path that the consumer takes, in a transaction that is aborted. Throws EVENT_NOT_FOUND for ids that the ledger does
 * not have, and ROLLBACK_REFUSED for an event without a user (it has no effect; skip it).
 */
export async function planRollback(
  database: Database,
  ledger: Ledger,
  request: PlanRequest,
): Promise<readonly UserPlan[]> {
  const targets = await readTargets(database.pool, database.schema, request.eventIds);
  const known = new Set(targets.map(({ eventId }) => eventId));
  const unknown = request.eventIds.filter((id) => !known.has(id));
  if (unknown.length > 0) {
    const message = `This service's ledger has no event ${unknown.slice(0, 3).join(', ')}${unknown.length > 3 ? ' …' : ''}`;
    throw new UserEventsError('EVENT_NOT_FOUND', message, {
      hint: NOT_READ_YET,
      facts: { eventIds: unknown },
    });
  }
  const byUser = new Map<string, TargetRow[]>();
  for (const target of targets) {
    if (target.userId === null) {
      const hint = `Accept the loss with \`user-events skip ${target.eventId} --reason …\`.`;
      throw new UserEventsError('ROLLBACK_REFUSED', `Event ${target.eventId} has no user: it had no effect`, {
        hint,
      });
    }
    byUser.set(target.userId, [...(byUser.get(target.userId) ?? []), target]);
  }
  const plans: UserPlan[] = [];
  const users = [...byUser];
  // Histories in portions: of a bulk of many users they would not fit into memory all at once.
  for (let from = 0; from < users.length; from += USERS_AT_ONCE) {
    const portion = users.slice(from, from + USERS_AT_ONCE);
    const ids = portion.map(([userId]) => userId);
    const histories = await readHistories(database.pool, database.schema, ids);
    for (const [userId, rows] of portion) {
      const user = { userId, rows, history: histories.get(userId) ?? [] };
      plans.push(await planUser(database, ledger, request, user));
    }
  }
  return plans;
}

interface UserTargets {
  readonly userId: string;
  readonly rows: readonly TargetRow[];
  readonly history: readonly HistoryEntry[];
}

async function planUser(
  database: Database,
  ledger: Ledger,
  request: PlanRequest,
  user: UserTargets,
): Promise<UserPlan> {
  const { userId, rows, history } = user;
  const targets = rows.map(({ eventId }) => eventId);
  const view = outlook(history, { targets, mode: request.mode, rules: ledger.rules });
  // Behind everything that it may list, also where partitions were added since.
  const partition = history.at(-1)?.partition ?? 0;
  const base = { userId, targets, partition, outlook: view };
  const plan: UserPlan = { ...base, now: null, then: null, changes: [], obstacle: null };
  if (!request.isDetailed) return plan;
  return repeatOnConflict(ledger.ours, request.signal, async () => {
    let tried = plan;
    try {
      await inTransaction(database.pool, 'repeatable read', async (client) => {
        tried = { ...base, ...(await tryOut(client, ledger, user, view, request.force)) };
        throw new TriedOut();
      });
    } catch (error) {
      if (!(error instanceof TriedOut)) throw error;
    }
    return tried;
  });
}

async function tryOut(
  client: PoolClient,
  ledger: Ledger,
  { userId, history }: UserTargets,
  view: RollbackOutlook,
  force: boolean,
): Promise<Pick<UserPlan, 'now' | 'then' | 'changes' | 'obstacle'>> {
  const { table } = ledger.mapper;
  const now = (await readRows(client, table, [userId])).get(userId) ?? null;
  if (!view.decision.isAccepted || view.kind === 'already')
    return { now, then: now, changes: [], obstacle: null };
  const { withdraws } = view.decision;
  const last = history.at(-1);
  const place = { partition: last?.partition ?? 0, offset: (last?.offset ?? 0n) + 1n, timestamp: 0 };
  const own = rollbackEntry({ eventId: NOT_MADE_YET, ...place, withdraws });
  const job = {
    userId,
    history: [...history, own],
    force,
    cause: 'rollback',
    causedBy: null,
    operator: null,
    reason: null,
  } as const;
  const result = (await reconcile(client, ledger, [job])).get(userId);
  const then = (await readRows(client, table, [userId])).get(userId) ?? null;
  const changes = history.flatMap(({ eventId, operation, status }) => {
    const to = result?.statuses.get(eventId) ?? status;
    return to === status ? [] : [{ eventId, operation, from: status, to }];
  });
  return { now, then, changes, obstacle: result?.error ?? null };
}
