import type { EventError } from '../../domain/column-values.ts';
import type { LogEvent, RollbackEvent } from '../../domain/event.ts';
import { keptText, type KnownEvent } from '../../domain/sameness.ts';
import { rollbackEntry, type HistoryEntry } from '../../domain/history.ts';
import { needsDetail, planReconcile } from '../../domain/reconcile-plan.ts';
import { decideRollback, type RollbackDecision } from '../../domain/rollback-decision.ts';
import type { Pool, PoolClient } from '../../postgres/transaction.ts';
import type { Claim } from '../../postgres/sql/apply-batch.ts';
import { claimRange, lockPositions, raiseRevisions } from '../../postgres/sql/positions.ts';
import { readHistories, readHistoriesToDecide } from '../../postgres/sql/read-history.ts';
import { insertRollbacks, type RollbackRow } from '../../postgres/sql/relabel.ts';
import { inTransaction } from '../../postgres/transaction.ts';
import {
  reconcile,
  type ReconcileContext,
  type ReconcileJob,
  type ReconcileResult,
} from '../reconcile/reconcile.ts';

/** What became of rollback events: the position's new revision and their rows. */
export interface AppliedRollbacks {
  readonly revision: bigint;
  readonly rows: readonly RollbackRow[];
  readonly duplicates: number;
}

/** How rollback events are decided this time. */
export interface RollbackTerms {
  readonly deriveId: (event: LogEvent) => string;
  /**
   * It lost a race before: a consumer of another partition that has events of these users moves its position again and
   * again between our snapshot and our update of it, so that this time all positions are locked first.
   */
  readonly isContended: boolean;
}

/**
 * Decides and executes rollback events of different users, all before `nextOffset`, in one transaction: claim, read
 * histories, decide (pure), reconcile, ledger rows (DESIGN 5). Null: fenced, nothing was written. Throws what the
 * database says; nothing is kept then.
 */
export async function applyRollbacks(
  pool: Pool,
  context: ReconcileContext,
  claim: Claim,
  events: readonly RollbackEvent[],
  nextOffset: bigint,
  terms: RollbackTerms,
): Promise<AppliedRollbacks | null> {
  return inTransaction(pool, 'repeatable read', async (client) => {
    if (terms.isContended) await lockPositions(client, context.schema);
    const known = await knownEvents(client, context, claim, events);
    const fresh = events.filter((event) => !known.has(event.eventId));
    const reused = events.filter((event) => isReused(event, known.get(event.eventId)));
    const duplicates = events.length - fresh.length - reused.length;
    const position = await claimRange(client, context.schema, claim, nextOffset, duplicates);
    if (position === null) return null;
    const userIds = [...new Set(fresh.map((event) => event.userId))];
    const histories = await readHistoriesToDecide(client, context.schema, userIds);
    await raiseOthers(client, context.schema, claim, histories);
    const decided = fresh.map((event) => {
      const history = histories.get(event.userId) ?? [];
      return { event, history, decision: decideRollback(history, event) };
    });
    const jobs = await withDetail(client, context.schema, decided);
    const results = await reconcile(client, context, jobs);
    const rows = [
      ...decided.map(({ event, decision }) => rowOf(event, decision, results.get(event.userId))),
      ...reused.map((event) => reusedRow(event, terms.deriveId(event))),
    ];
    await insertRollbacks(client, context.schema, claim.generation, rows);
    return { revision: position.revision, rows, duplicates };
  });
}

/** Decided on what a decision looks at. */
interface Decided {
  readonly event: RollbackEvent;
  readonly history: readonly HistoryEntry[];
  readonly decision: RollbackDecision;
}

/**
 * What is to be reconciled. Most of a bulk withdraws events that have failed: nothing is executed and no row set back, and
 * a history with all that events carried, half of what a rollback costs, is read of the others alone.
 */
async function withDetail(
  client: PoolClient,
  schema: string,
  decided: readonly Decided[],
): Promise<readonly ReconcileJob[]> {
  const jobs = decided.flatMap(jobOf).map((job) => ({ ...job, plan: planReconcile(job.history) }));
  const ids = jobs.filter(({ plan }) => needsDetail(plan)).map(({ userId }) => userId);
  if (ids.length === 0) return jobs;
  const histories = await readHistories(client, schema, ids);
  return decided.flatMap((each) => {
    const history = histories.get(each.event.userId);
    return jobOf(history === undefined ? each : { ...each, history });
  });
}

/** After partitions were added a user's events may lie in others: their consumers have to drop what they had read. */
async function raiseOthers(
  client: PoolClient,
  schema: string,
  claim: Claim,
  histories: ReadonlyMap<string, readonly HistoryEntry[]>,
): Promise<void> {
  const partitions = new Set(
    [...histories.values()].flatMap((entries) => entries.map(({ partition }) => partition)),
  );
  partitions.delete(claim.partition);
  if (partitions.size > 0) await raiseRevisions(client, schema, [...partitions]);
}

/** Events that the ledger has already: redelivered rollbacks, which have no second effect, or ids used twice. */
async function knownEvents(
  client: PoolClient,
  context: ReconcileContext,
  claim: Claim,
  events: readonly RollbackEvent[],
): Promise<ReadonlyMap<string, KnownEvent>> {
  const ids = events.map((event) => event.eventId);
  const { facts } = await context.readFacts(client, claim.partition, [], [], ids);
  return facts.events;
}

function isReused(event: RollbackEvent, known: KnownEvent | undefined): boolean {
  if (known === undefined) return false;
  const isSame = known.data === null || event.value === null || known.data === keptText(event);
  return known.operation !== 'rollback' || known.userId !== event.userId || !isSame;
}

/** An id that is taken: refused under an id of its own, so that it is on record and blocks nobody. */
function reusedRow(event: RollbackEvent, eventId: string): RollbackRow {
  const message = `Another event has the id ${event.eventId} already`;
  return { event, eventId, status: 'refused', withdraws: null, error: { code: 'EVENT_ID_REUSED', message } };
}

function jobOf({ event, history, decision }: Decided): ReconcileJob[] {
  if (!decision.isAccepted) return [];
  const { userId, force, operator, reason } = event;
  const { withdraws } = decision;
  const { eventId, partition, offset, timestamp } = event;
  const own = rollbackEntry({ eventId, partition, offset, timestamp, withdraws });
  return [
    {
      userId,
      history: [...history, own],
      force,
      cause: 'rollback',
      causedBy: event.eventId,
      operator,
      reason,
    },
  ];
}

function rowOf(
  event: RollbackEvent,
  decision: RollbackDecision,
  result: ReconcileResult | undefined,
): RollbackRow {
  const { eventId } = event;
  if (!decision.isAccepted) {
    const { code, message, events } = decision;
    return {
      event,
      eventId,
      status: 'refused',
      withdraws: null,
      error: { code, message, detail: { events: [...events] } },
    };
  }
  const error: EventError | null = result?.error ?? null;
  return {
    event,
    eventId,
    status: error === null ? 'applied' : 'failed',
    withdraws: decision.withdraws,
    error,
  };
}
