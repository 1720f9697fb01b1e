import type { EventError } from '../../domain/column-values.ts';
import type { JsonObject, RollbackMode, Status } from '../../domain/event.ts';
import type { HistoryEntry } from '../../domain/history.ts';
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
  /** Where the compensating event goes: the partition of the newest target. */
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
    throw new UserEventsError('EVENT_NOT_FOUND', message, { facts: { eventIds: unknown } });
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
  const histories = await readHistories(database.pool, database.schema, [...byUser.keys()]);
  const plans: UserPlan[] = [];
  for (const [userId, rows] of byUser) {
    plans.push(
      await planUser(database, ledger, request, { userId, rows, history: histories.get(userId) ?? [] }),
    );
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
  const partition = rows.at(-1)?.partition ?? 0;
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
  const own: HistoryEntry = {
    ...PLANNED,
    partition: history.at(-1)?.partition ?? 0,
    offset: (history.at(-1)?.offset ?? 0n) + 1n,
    withdraws: view.decision.withdraws,
  };
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

/** The compensating event as it would stand in the ledger; its id is not made yet. */
const PLANNED: HistoryEntry = {
  eventId: '00000000-0000-0000-0000-000000000000',
  partition: 0,
  offset: 0n,
  timestamp: 0,
  operation: 'rollback',
  status: 'applied',
  fields: null,
  withdraws: null,
  beforeExists: null,
  hasImage: false,
  blockedBy: null,
  error: null,
};
