import { rollbackEntry } from '../../domain/history.ts';
import { pendingRollbacks } from '../../domain/pending.ts';
import { readRows } from '../../postgres/sql/read-rows.ts';
import { inTransaction, type Database, type PoolClient } from '../../postgres/transaction.ts';
import type { Ledger } from '../consume/open-group.ts';
import { reconcile, type ReconcileJob, type ReconcileResult } from '../reconcile/reconcile.ts';
import { repeatOnConflict } from '../reconcile/repeat.ts';
import type { PlannedUser, PlanRequest, UserPlan } from './user-plan.ts';

const NOT_MADE_YET = '00000000-0000-0000-0000-000000000000';

/** The plan's transaction is always aborted: by this. */
class TriedOut extends Error {}

/**
 * Executes what was decided on some users by the path that the consumer takes, in a transaction that is aborted, and says
 * what came of it. Rollbacks that lie ahead in the log are executed with it; other events that lie ahead are not.
 */
export async function tryOut(
  database: Database,
  ledger: Ledger,
  users: readonly PlannedUser[],
  { force, signal }: PlanRequest,
): Promise<readonly UserPlan[]> {
  return repeatOnConflict(ledger.ours, signal, async () => {
    let tried: readonly UserPlan[] = [];
    try {
      await inTransaction(database.pool, 'repeatable read', async (client) => {
        tried = await execute(client, ledger, users, force);
        throw new TriedOut();
      });
    } catch (error) {
      if (!(error instanceof TriedOut)) throw error;
    }
    return tried;
  });
}

async function execute(
  client: PoolClient,
  ledger: Ledger,
  users: readonly PlannedUser[],
  force: boolean,
): Promise<readonly UserPlan[]> {
  const { table } = ledger.mapper;
  const ids = users.map(({ plan }) => plan.userId);
  const now = await readRows(client, table, ids);
  const jobs = users.flatMap((user) => jobOf(user, force));
  const results: ReadonlyMap<string, ReconcileResult> =
    jobs.length === 0 ? new Map() : await reconcile(client, ledger, jobs);
  const then = jobs.length === 0 ? now : await readRows(client, table, ids);
  return users.map(({ plan, history }) => {
    const { userId } = plan;
    const result = results.get(userId);
    const changes = history.flatMap(({ eventId, operation, status }) => {
      const to = result?.statuses.get(eventId) ?? status;
      return to === status ? [] : [{ eventId, operation, from: status, to }];
    });
    return {
      ...plan,
      isTriedOut: true,
      now: now.get(userId) ?? null,
      then: then.get(userId) ?? null,
      changes,
      obstacle: result?.error ?? null,
    };
  });
}

/** Nothing for what is refused, and for what is withdrawn already. */
function jobOf({ plan, history, ahead }: PlannedUser, force: boolean): readonly ReconcileJob[] {
  const { userId, partition, outlook, underWay } = plan;
  const { decision, kind } = outlook;
  if (!decision.isAccepted || (kind === 'already' && underWay === null)) return [];
  const { withdraws } = decision;
  const offset = (history.at(-1)?.offset ?? 0n) + 1n;
  const own = rollbackEntry({ eventId: NOT_MADE_YET, partition, offset, timestamp: 0, withdraws });
  const coming = pendingRollbacks(history, ahead);
  const entries = kind === 'already' ? coming : [...coming, own];
  const cause = { cause: 'rollback', causedBy: null, operator: null, reason: null } as const;
  return [{ userId, history: [...history, ...entries], force, ...cause }];
}
