import { isCud, standingOf, type HistoryEntry } from './history.ts';

/** What the ledger is to say of one entry once the plan is carried out. */
export type PlannedStep =
  /** Leave it as it is. */
  | { readonly kind: 'keep'; readonly entry: HistoryEntry }
  /** Withdrawn: no effect, and it blocks nobody. */
  | { readonly kind: 'withdraw'; readonly entry: HistoryEntry }
  /** Execute (again) by the ordinary fold: applied, failed, or parked behind an earlier one. */
  | { readonly kind: 'execute'; readonly entry: HistoryEntry }
  /** A standing rollback that could not be executed before: it is by this plan. */
  | { readonly kind: 'complete'; readonly entry: HistoryEntry }
  | { readonly kind: 'skip'; readonly entry: HistoryEntry }
  /** Held back by a rollback that could not be executed, and is left as it is. */
  | { readonly kind: 'park'; readonly entry: HistoryEntry; readonly behind: string };

export interface ReconcilePlan {
  /** The entry to whose before image the row is set back first; null where no applied event is touched. */
  readonly rewindTo: HistoryEntry | null;
  /** In order, from the first entry that changes on. Empty: nothing to do. */
  readonly steps: readonly PlannedStep[];
}

export interface ReconcileOrders {
  /** Failed events to execute again. */
  readonly retry?: ReadonlySet<string>;
  /** Failed events to pass over for good. */
  readonly skip?: ReadonlySet<string>;
}

/**
 * Compares what stands with what the ledger says was done, and plans how to make the second follow the first: the one
 * routine behind rollback, redo, retry and skip (docs/adr/0002). Pure. `history` includes the rollback just accepted.
 */
export function planReconcile(history: readonly HistoryEntry[], orders: ReconcileOrders = {}): ReconcilePlan {
  const isSkipped = (entry: HistoryEntry): boolean =>
    entry.status === 'skipped' || (orders.skip?.has(entry.eventId) ?? false);
  const isLeft = (entry: HistoryEntry): boolean => isLeftFailed(entry, history, orders);
  // A rollback that this service skipped withdraws nothing here; decisions, which all services share, do not see that.
  const standing = standingOf(
    history,
    (entry) => entry.operation === 'rollback' && (isSkipped(entry) || isLeft(entry)),
  );
  const first = history.findIndex((entry) => diverges(entry, standing, orders));
  if (first < 0) return { rewindTo: null, steps: [] };

  const firstApplied = history.findIndex(
    (entry, i) => i >= first && isCud(entry) && entry.status === 'applied',
  );
  const image = firstApplied < 0 ? -1 : imageFor(history, firstApplied);
  const from = image < 0 ? first : Math.min(first, image);
  const steps = stepsFrom(history.slice(from), standing, orders, isLeft);
  return { rewindTo: image < 0 ? null : (history[image] ?? null), steps };
}

/**
 * True where carrying a plan out takes more of a history than decisions do (fields, images, errors): something is executed
 * or a row set back. False: the plan is the same on a history that was read for a decision alone.
 */
export function needsDetail({ rewindTo, steps }: ReconcilePlan): boolean {
  return (
    rewindTo !== null ||
    steps.some(({ kind, entry }) => kind === 'execute' || (kind === 'skip' && entry.operation === null))
  );
}

/**
 * A rollback that failed (drift) is executed with the next one, or when it is retried itself. A retry or skip of another
 * event leaves it alone: it would fail for the same drift, and take that event with it.
 */
function isLeftFailed(
  { operation, status, eventId }: HistoryEntry,
  history: readonly HistoryEntry[],
  { retry, skip }: ReconcileOrders,
): boolean {
  if (operation !== 'rollback' || status !== 'failed' || (retry === undefined && skip === undefined))
    return false;
  const isRollbackRetried = history.some(
    (entry) => entry.operation === 'rollback' && retry?.has(entry.eventId),
  );
  return !isRollbackRetried && skip?.has(eventId) !== true;
}

function stepsFrom(
  entries: readonly HistoryEntry[],
  standing: ReadonlySet<string>,
  orders: ReconcileOrders,
  isLeft: (entry: HistoryEntry) => boolean,
): readonly PlannedStep[] {
  let behind: string | null = null;
  return entries.map((entry): PlannedStep => {
    if (isLeft(entry)) {
      behind ??= entry.eventId;
      return { kind: 'keep', entry };
    }
    const step = stepFor(entry, standing, orders);
    return step.kind === 'execute' && behind !== null ? { kind: 'park', entry, behind } : step;
  });
}

/** True where what was done with the entry is not what its standing (or an order) wants. */
function diverges(entry: HistoryEntry, standing: ReadonlySet<string>, orders: ReconcileOrders): boolean {
  if (orders.retry?.has(entry.eventId) === true || orders.skip?.has(entry.eventId) === true) return true;
  if (!standing.has(entry.eventId)) return entry.status !== 'rolled_back' && entry.status !== 'refused';
  return entry.status === 'rolled_back';
}

function stepFor(entry: HistoryEntry, standing: ReadonlySet<string>, orders: ReconcileOrders): PlannedStep {
  if (entry.status === 'refused') return { kind: 'keep', entry };
  if (!standing.has(entry.eventId)) {
    return entry.status === 'rolled_back' ? { kind: 'keep', entry } : { kind: 'withdraw', entry };
  }
  if (orders.skip?.has(entry.eventId) === true) return { kind: 'skip', entry };
  if (entry.status === 'skipped') return { kind: 'keep', entry };
  if (entry.operation === 'rollback') {
    return entry.status === 'applied' ? { kind: 'keep', entry } : { kind: 'complete', entry };
  }
  // An ignored event has no error and no effect: brought back, it is passed over again.
  if (entry.operation === null && entry.error === null) return { kind: 'skip', entry };
  // What cannot be read stays failed, and what was brought back by a redo is failed again.
  return { kind: 'execute', entry };
}

/** The nearest applied entry, at or before `index`, whose before image was kept: one image a user and batch. */
function imageFor(history: readonly HistoryEntry[], index: number): number {
  for (let i = index; i >= 0; i--) {
    const entry = history[i];
    if (entry !== undefined && isCud(entry) && entry.status === 'applied' && entry.beforeExists !== null)
      return i;
  }
  return index;
}
