import type { EventError } from '../../domain/column-values.ts';
import type { CudEvent, Status, UnreadableEvent } from '../../domain/event.ts';
import { ledgerRow } from '../../domain/expected-row.ts';
import type { Decision, UserFacts } from '../../domain/fold.ts';
import type { HistoryEntry } from '../../domain/history.ts';
import {
  planReconcile,
  type PlannedStep,
  type ReconcileOrders,
  type ReconcilePlan,
} from '../../domain/reconcile-plan.ts';
import type { PoolClient } from '../../postgres/transaction.ts';
import { outcomeOf } from '../../postgres/sql/outcome.ts';
import type { ReadFacts } from '../../postgres/sql/read-facts.ts';
import {
  recordAttempts,
  relabel,
  type Attempt,
  type AttemptCause,
  type Relabel,
} from '../../postgres/sql/relabel.ts';
import { findDrift, type Drift } from '../../postgres/sql/find-drift.ts';
import { rewindUsers } from '../../postgres/sql/rewind-users.ts';
import { savepoint } from '../../postgres/transaction.ts';
import { executeEvents, type ExecuteContext } from './execute-events.ts';
import { settle } from './settle.ts';

export interface ReconcileContext extends ExecuteContext {
  readonly schema: string;
  readonly readFacts: ReadFacts;
}

/** One user whose ledger is to follow what stands. */
export interface ReconcileJob extends AttemptCause {
  readonly userId: string;
  /** All of the user's, with a rollback just accepted as its last entry. */
  readonly history: readonly HistoryEntry[];
  readonly orders?: ReconcileOrders;
  /** What `planReconcile` made of them, where it was asked before. */
  readonly plan?: ReconcilePlan;
  /** Set the row back also where it drifted. */
  readonly force: boolean;
}

/** What became of a user: the ledger follows, or (error) nothing of this user was changed. */
export interface ReconcileResult {
  readonly error: EventError | null;
  readonly statuses: ReadonlyMap<string, Status>;
}

/**
 * Makes the rows and the ledger of users follow what stands, in the caller's transaction, which holds the position:
 * rewinds, executes again, releases, withdraws (docs/adr/0002). All users at once; where the database refuses a
 * rewind, one by one. A user who cannot be reconciled keeps everything as it was. One entry a user comes back.
 */
export async function reconcile(
  client: PoolClient,
  context: ReconcileContext,
  jobs: readonly ReconcileJob[],
  isCancelled = false,
): Promise<Map<string, ReconcileResult>> {
  const outcome = await outcomeOf(context.ours, () =>
    savepoint(client, () => reconcileAll(client, context, jobs)),
  );
  const first = jobs[0];
  switch (outcome.kind) {
    case 'done':
      return outcome.value;
    case 'refused':
    case 'cancelled': {
      if (jobs.length === 1 && first !== undefined) {
        // A cancel is the user's fault only where it happens again (DESIGN 4).
        if (outcome.kind === 'cancelled' && !isCancelled) return reconcile(client, context, jobs, true);
        return new Map([[first.userId, { error: outcome.error, statuses: new Map() }]]);
      }
      const half = Math.ceil(jobs.length / 2);
      const left = await reconcile(client, context, jobs.slice(0, half));
      return new Map([...left, ...(await reconcile(client, context, jobs.slice(half)))]);
    }
    case 'stale':
    case 'transient':
    case 'unknown':
    case 'stop':
      throw outcome.error;
    case 'fenced':
      throw new Error('reconciling claims nothing, so it cannot be fenced');
  }
}

interface Planned {
  readonly job: ReconcileJob;
  readonly plan: ReconcilePlan;
}

async function reconcileAll(
  client: PoolClient,
  context: ReconcileContext,
  jobs: readonly ReconcileJob[],
): Promise<Map<string, ReconcileResult>> {
  const results = new Map<string, ReconcileResult>();
  const planned = jobs.map((job) => ({ job, plan: job.plan ?? planReconcile(job.history, job.orders) }));
  const obstacles = await findObstacles(client, context, planned);
  const feasible = planned.filter(({ job }) => {
    const error = obstacles.get(job.userId);
    if (error !== undefined) results.set(job.userId, { error, statuses: new Map() });
    return error === undefined;
  });
  const rewinds = feasible.flatMap(({ job, plan }) =>
    plan.rewindTo === null ? [] : [{ userId: job.userId, imageOf: plan.rewindTo.eventId }],
  );
  if (rewinds.length > 0) await rewindUsers(client, context.schema, context.mapper.table, rewinds);
  for (const [userId, statuses] of await carryOut(client, context, feasible)) {
    results.set(userId, { error: null, statuses });
  }
  return results;
}

/** Users whose rewind cannot be done: an image or data pruned, or a row that drifted. */
async function findObstacles(
  client: PoolClient,
  context: ReconcileContext,
  planned: readonly Planned[],
): Promise<Map<string, EventError>> {
  const obstacles = new Map<string, EventError>();
  const expected = [];
  for (const { job, plan } of planned) {
    const isPruned =
      (plan.rewindTo !== null && plan.rewindTo.beforeExists !== false && !plan.rewindTo.hasImage) ||
      plan.steps.some(
        ({ kind, entry }) => kind === 'execute' && entry.operation !== null && entry.fields === null,
      );
    const row = plan.rewindTo === null || isPruned ? null : ledgerRow(job.history, context.mapper);
    if (isPruned || (plan.rewindTo !== null && row === null)) {
      const message = `What user ${JSON.stringify(job.userId)} was before is not kept any more`;
      obstacles.set(job.userId, { code: 'IMAGE_PRUNED', message });
    } else if (row !== null && !job.force) expected.push({ userId: job.userId, ...row });
  }
  if (expected.length === 0) return obstacles;
  for (const drift of await findDrift(client, context.schema, context.mapper.table, expected)) {
    obstacles.set(drift.userId, driftError(drift));
  }
  return obstacles;
}

function driftError(drift: Drift): EventError {
  const columns = drift.columns.map(({ column }) => column);
  const what =
    columns.length > 0
      ? `differs from the ledger in ${columns.join(', ')}`
      : drift.isThere
        ? 'is there, though the ledger says it is not'
        : 'is gone, though the ledger says it is there';
  const message = `The row of user ${JSON.stringify(drift.userId)} ${what}`;
  return { code: 'DRIFT', message, detail: { columns, isThere: drift.isThere } };
}

async function carryOut(
  client: PoolClient,
  context: ReconcileContext,
  planned: readonly Planned[],
): Promise<Map<string, Map<string, Status>>> {
  const executable = planned.flatMap(({ job, plan }) =>
    plan.steps.filter(isExecutable).map(({ entry }) => toEvent(job.userId, entry)),
  );
  const users = await factsBefore(client, context, planned);
  const decisions = new Map<string, Decision>();
  for (const decision of await executeEvents(client, context, executable, users)) {
    decisions.set(decision.eventId, decision);
  }
  const statuses = new Map<string, Map<string, Status>>();
  const labels: Relabel[] = [];
  const attempts: Attempt[] = [];
  for (const { job, plan } of planned) {
    const settled = settle(job, plan, decisions);
    statuses.set(job.userId, settled.statuses);
    labels.push(...settled.labels);
    attempts.push(...settled.attempts);
  }
  await relabel(client, context.schema, labels);
  await recordAttempts(client, context.schema, attempts);
  return statuses;
}

function isExecutable(step: PlannedStep): boolean {
  return step.kind === 'execute';
}

async function factsBefore(
  client: PoolClient,
  context: ReconcileContext,
  planned: readonly Planned[],
): Promise<Map<string, UserFacts>> {
  const userIds = planned.filter(({ plan }) => plan.steps.some(isExecutable)).map(({ job }) => job.userId);
  if (userIds.length === 0) return new Map();
  const { facts } = await context.readFacts(client, -1, userIds, userIds, []);
  return new Map(
    planned.map(({ job, plan }) => [
      job.userId,
      { exists: facts.users.get(job.userId)?.exists ?? false, blockedBy: blockerBefore(job.history, plan) },
    ]),
  );
}

/** The failed entry, before the first step, that still holds the user back. */
function blockerBefore(history: readonly HistoryEntry[], plan: ReconcilePlan): string | null {
  const first = plan.steps[0]?.entry;
  for (const entry of history) {
    if (entry === first) break;
    if (entry.status === 'failed') return entry.eventId;
  }
  return null;
}

/** The event as the fold takes it. What could not be read goes in too: it fails again, and holds back what follows. */
function toEvent(userId: string, entry: HistoryEntry): CudEvent | UnreadableEvent {
  const { eventId, partition, offset, timestamp, operation, fields, error } = entry;
  const head = { eventId, ceId: null, source: null, isIdDerived: false, partition, offset, timestamp };
  if (operation === null) {
    const code =
      error?.code === 'UNKNOWN_TYPE' || error?.code === 'EVENT_ID_REUSED' ? error.code : 'UNREADABLE';
    return {
      ...head,
      kind: 'unreadable',
      userId,
      code,
      reason: error?.message ?? 'It cannot be read',
      value: null,
    };
  }
  if (operation === 'rollback' || fields === null)
    throw new Error(`event ${eventId} cannot be executed again`);
  return { ...head, kind: 'cud', operation, userId, fields, value: null };
}
