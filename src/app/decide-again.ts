import type { EventError } from '../domain/column-values.ts';
import type { Status } from '../domain/event.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import { lockPositions, raiseRevisions } from '../postgres/sql/positions.ts';
import { readHistories } from '../postgres/sql/read-history.ts';
import type { HistoryEntry } from '../domain/history.ts';
import { readOutcomes, readTargets, type TargetRow } from '../postgres/sql/read-targets.ts';
import { recordAttempts, relabel, type Relabel } from '../postgres/sql/relabel.ts';
import { inTransaction, limitIdling, type Database, type PoolClient } from '../postgres/transaction.ts';
import type { Ledger } from './consume/open-group.ts';
import { reconcile, type ReconcileJob, type ReconcileResult } from './reconcile/reconcile.ts';
import { NOT_READ_YET } from './rollback/targets.ts';
import { repeatOnConflict } from './reconcile/repeat.ts';

export interface DecideAgainRequest {
  readonly kind: 'retry' | 'skip';
  readonly eventIds: readonly string[];
  readonly operator: string;
  readonly reason: string | null;
  /** Execute a failed rollback over drift. */
  readonly force: boolean;
  /** Events that were executed so often are left as they are; null: no limit. */
  readonly maxAttempts: number | null;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

/** One event after retry or skip. */
export interface DecidedAgain {
  readonly eventId: string;
  readonly userId: string | null;
  /** Why nothing was done: it was not failed, or had its attempts; null where it was decided again. */
  readonly left: 'not failed' | 'attempts' | null;
  readonly status: Status;
  /** How often it was executed, this time included. */
  readonly attempts: number;
  /** What became of the events that it held back: by status, how many wait no longer. */
  readonly released: Partial<Record<Status, number>>;
  readonly code: string | null;
  readonly message: string | null;
}

/** Events a transaction: bounded, so that the consumer beside it waits little. */
const EVENTS_AT_ONCE = 200;

/**
 * Retries or skips failed events: local decisions of this service, which touch its database alone (DESIGN 5). Releases
 * what they held back, in order, and raises the revision, so that a consumer beside it drops what it had read.
 * EVENT_NOT_FOUND where the ledger does not have an id; then nothing is done. INTERRUPTED between two portions, with
 * `facts.done`: what was decided stays decided.
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
    if (request.signal.aborted) throw interrupted(request, results.length);
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

function interrupted({ kind, eventIds }: DecideAgainRequest, done: number): UserEventsError {
  const total = eventIds.length;
  const message = `Interrupted: ${kind} was done for ${String(done)} of ${String(total)} events`;
  return new UserEventsError('INTERRUPTED', message, {
    hint: 'Run it again for the rest.',
    facts: { done, total },
  });
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
  const why = new Map(
    before.map((row) => [row.eventId, leftBecause(row, histories.get(row.userId ?? '') ?? [], request)]),
  );
  const open = before.filter(({ eventId }) => why.get(eventId) === null);
  const byUser = groupByUser(open);
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
  const results: ReadonlyMap<string, ReconcileResult> =
    jobs.length === 0 ? new Map() : await reconcile(client, ledger, jobs);
  // Left over: events without a user, and users whose rows cannot be set back (drift) — the events' words alone change.
  const rest = open.filter(({ userId }) => userId === null || (results.get(userId)?.error ?? null) !== null);
  await settleLeft(client, schema, request, rest, results);
  const after = await readOutcomes(client, schema, ids);
  return before.map((row): DecidedAgain => {
    const { eventId, userId, status, attempts } = row;
    const now = after.get(eventId) ?? { status, code: null, message: null, attempts };
    const history = histories.get(userId ?? '') ?? [];
    const released = releasedBy(eventId, history, results.get(userId ?? '')?.statuses ?? new Map());
    return { eventId, userId, left: why.get(eventId) ?? null, ...now, released };
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

function leftBecause(
  row: TargetRow,
  history: readonly HistoryEntry[],
  { kind, maxAttempts }: DecideAgainRequest,
): DecidedAgain['left'] {
  const { status, attempts } = row;
  if (status !== 'failed' && !isOrphan(row, history)) return 'not failed';
  return kind === 'retry' && maxAttempts !== null && attempts >= maxAttempts ? 'attempts' : null;
}

/** Those that waited behind an event and wait no longer, by what became of them. */
function releasedBy(
  eventId: string,
  history: readonly HistoryEntry[],
  statuses: ReadonlyMap<string, Status>,
): DecidedAgain['released'] {
  const released: Partial<Record<Status, number>> = {};
  for (const entry of history) {
    if (entry.status !== 'parked' || entry.blockedBy !== eventId) continue;
    const status = statuses.get(entry.eventId) ?? 'parked';
    if (status !== 'parked') released[status] = (released[status] ?? 0) + 1;
  }
  return released;
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
    const isAttempt = kind === 'retry';
    return { eventId: row.eventId, status, blockedBy: null, error: error ?? 'keep', isAttempt };
  });
  await relabel(client, schema, labels);
  const attempts = left.map((row) => ({ eventId: row.eventId, status, error: errorOf(row) }));
  await recordAttempts(
    client,
    schema,
    attempts.map((attempt) => ({ ...attempt, cause: kind, causedBy: null, operator, reason })),
  );
}
