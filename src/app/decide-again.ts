import type { EventError } from '../domain/column-values.ts';
import type { Status } from '../domain/event.ts';
import type { HistoryEntry } from '../domain/history.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import { lockPositions, raiseRevisions } from '../postgres/sql/positions.ts';
import { readHistories } from '../postgres/sql/read-history.ts';
import {
  readFailedTargets,
  readOutcomes,
  readTargets,
  type TargetRow,
} from '../postgres/sql/read-targets.ts';
import { recordAttempts, relabel, type Relabel } from '../postgres/sql/relabel.ts';
import { inTransaction, limitIdling, type Database, type PoolClient } from '../postgres/transaction.ts';
import type { Ledger } from './consume/open-group.ts';
import { reconcile, type ReconcileJob } from './reconcile/reconcile.ts';
import { NOT_READ_YET } from './rollback/plan.ts';
import { repeatOnConflict } from './reconcile/repeat.ts';

export interface DecideAgainRequest {
  readonly kind: 'retry' | 'skip';
  readonly eventIds: readonly string[];
  readonly operator: string;
  readonly reason: string | null;
  /** Execute a failed rollback over drift. */
  readonly force: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

/** One event after retry or skip. `unchanged`: it was not failed, nothing was done. */
export interface DecidedAgain {
  readonly eventId: string;
  readonly userId: string | null;
  readonly isChanged: boolean;
  readonly status: Status;
  readonly code: string | null;
  readonly message: string | null;
}

/** Events a transaction: bounded, so that the consumer beside it waits little. */
const EVENTS_AT_ONCE = 200;

/**
 * Retries or skips failed events: local decisions of this service, which touch its database alone (DESIGN 5). Releases
 * what they held back, in order, and raises the revision, so that a consumer beside it drops what it had read.
 * EVENT_NOT_FOUND where the ledger does not have an id; then nothing is done.
 */
export async function decideAgain(
  database: Database,
  ledger: Ledger,
  request: DecideAgainRequest,
): Promise<readonly DecidedAgain[]> {
  const found = new Set(
    (await readTargets(database.pool, database.schema, request.eventIds)).map(({ eventId }) => eventId),
  );
  const unknown = request.eventIds.filter((id) => !found.has(id));
  if (unknown.length > 0) {
    const message = `This service's ledger has no event ${unknown.slice(0, 3).join(', ')}`;
    throw new UserEventsError('EVENT_NOT_FOUND', message, {
      hint: NOT_READ_YET,
      facts: { eventIds: unknown },
    });
  }
  const results: DecidedAgain[] = [];
  for (let from = 0; from < request.eventIds.length; from += EVENTS_AT_ONCE) {
    const ids = request.eventIds.slice(from, from + EVENTS_AT_ONCE);
    const decided = await repeatOnConflict(ledger.ours, request.signal, (attempt) =>
      inTransaction(database.pool, 'repeatable read', async (client) => {
        await limitIdling(client);
        // A consumer that is busy moves its position again and again between our snapshot and our update of it.
        if (attempt > 1) await lockPositions(client, database.schema);
        return decideSome(client, ledger, request, ids);
      }),
    );
    results.push(...decided);
    request.onProgress(results.length, request.eventIds.length);
  }
  return results;
}

async function decideSome(
  client: PoolClient,
  ledger: Ledger,
  request: DecideAgainRequest,
  ids: readonly string[],
): Promise<readonly DecidedAgain[]> {
  const { schema } = ledger;
  const before = await readTargets(client, schema, ids);
  // After partitions were added a user's later events may lie in any of them.
  const isGrown = ledger.binding.generation > 0;
  await raiseRevisions(
    client,
    schema,
    isGrown ? 'all' : [...new Set(before.map(({ partition }) => partition))],
  );
  const histories = await readHistories(client, schema, usersOf(before));
  const failed = before.filter(
    (target) => target.status === 'failed' || isOrphan(target, histories.get(target.userId ?? '') ?? []),
  );
  const byUser = groupByUser(failed);
  const { kind, operator, reason, force } = request;
  const jobs = [...byUser].map(([userId, orders]): ReconcileJob => ({
    userId,
    history: histories.get(userId) ?? [],
    orders: { [kind]: orders },
    force,
    cause: kind,
    causedBy: null,
    operator,
    reason,
  }));
  const results =
    jobs.length === 0
      ? new Map<string, { error: EventError | null }>()
      : await reconcile(client, ledger, jobs);
  // Left over: events without a user, and users whose rows cannot be set back (drift) — the events' words alone change.
  const left = failed.filter(
    ({ userId }) => userId === null || (results.get(userId)?.error ?? null) !== null,
  );
  await settleLeft(client, schema, request, left, results);
  const after = await readOutcomes(client, schema, ids);
  const changed = new Set(failed.map(({ eventId }) => eventId));
  return before.map(({ eventId, userId, status }) => {
    const { code = null, message = null, ...now } = after.get(eventId) ?? { status };
    return { eventId, userId, isChanged: changed.has(eventId), status: now.status, code, message };
  });
}

/** The users of events that may be decided again. */
function usersOf(targets: readonly TargetRow[]): readonly string[] {
  const isOpen = ({ status }: TargetRow): boolean => status === 'failed' || status === 'parked';
  return [...new Set(targets.filter(isOpen).flatMap(({ userId }) => userId ?? []))];
}

/**
 * True of a parked event that nothing holds back any more: the failed one before it is gone (the ledger was meddled with,
 * or restored in part). It can be decided again by itself, or it would wait for ever.
 */
function isOrphan({ status, eventId }: TargetRow, history: readonly HistoryEntry[]): boolean {
  if (status !== 'parked') return false;
  const own = history.findIndex((entry) => entry.eventId === eventId);
  return !history.slice(0, own).some((entry) => entry.status === 'failed' || entry.status === 'parked');
}

function groupByUser(failed: readonly TargetRow[]): Map<string, Set<string>> {
  const byUser = new Map<string, Set<string>>();
  for (const { userId, eventId } of failed) {
    if (userId !== null) byUser.set(userId, (byUser.get(userId) ?? new Set()).add(eventId));
  }
  return byUser;
}

async function settleLeft(
  client: PoolClient,
  schema: string,
  { kind, operator, reason }: DecideAgainRequest,
  left: readonly TargetRow[],
  results: ReadonlyMap<string, { readonly error: EventError | null }>,
): Promise<void> {
  const status: Status = kind === 'skip' ? 'skipped' : 'failed';
  const errorOf = ({ userId, operation }: TargetRow): EventError | null =>
    operation === 'rollback' && userId !== null ? (results.get(userId)?.error ?? null) : null;
  const labels = left.map((row): Relabel => {
    const error = kind === 'retry' ? errorOf(row) : null;
    return { eventId: row.eventId, status, blockedBy: null, error: error ?? 'keep' };
  });
  await relabel(client, schema, labels);
  const attempts = left.map((row) => ({ eventId: row.eventId, status, error: errorOf(row) }));
  await recordAttempts(
    client,
    schema,
    attempts.map((attempt) => ({ ...attempt, cause: kind, causedBy: null, operator, reason })),
  );
}

/** The ids of all failed events, oldest first. */
export async function failedEventIds(database: Database): Promise<readonly string[]> {
  return (await readFailedTargets(database.pool, database.schema)).map(({ eventId }) => eventId);
}
