import type { Status } from '../../domain/event.ts';
import type { Decision } from '../../domain/fold.ts';
import type { PlannedStep, ReconcilePlan } from '../../domain/reconcile-plan.ts';
import type { Attempt, AttemptCause, Relabel } from '../../postgres/sql/relabel.ts';

/** What the ledger is to say of one user's events, and the audit trail of it. */
export interface Settled {
  readonly statuses: Map<string, Status>;
  readonly labels: readonly Relabel[];
  readonly attempts: readonly Attempt[];
}

/** Turns the steps of a plan, and what became of those that were executed, into the ledger's words. Pure. */
export function settle(
  job: AttemptCause,
  plan: ReconcilePlan,
  decisions: ReadonlyMap<string, Decision>,
): Settled {
  const statuses = new Map<string, Status>();
  const labels: Relabel[] = [];
  const attempts: Attempt[] = [];
  for (const step of plan.steps) {
    const { entry } = step;
    const decision = decisions.get(entry.eventId);
    const status = decision?.status ?? statusOf(step);
    const error = decision?.error ?? null;
    statuses.set(entry.eventId, status);
    const blockedBy = step.kind === 'park' ? step.behind : null;
    const isNew = status !== entry.status || (step.kind === 'park' && blockedBy !== entry.blockedBy);
    if (decision === undefined && isNew) {
      labels.push({
        eventId: entry.eventId,
        status,
        blockedBy,
        error: keepsError(step) ? 'keep' : null,
        isAttempt: step.kind === 'complete',
      });
    }
    if (status === entry.status && error === null) continue;
    const { cause, causedBy, operator, reason } = job;
    attempts.push({ eventId: entry.eventId, cause, causedBy, operator, reason, status, error });
  }
  return { statuses, labels, attempts };
}

function statusOf(step: PlannedStep): Status {
  switch (step.kind) {
    case 'keep':
      return step.entry.status;
    case 'withdraw':
      return 'rolled_back';
    case 'complete':
      return 'applied';
    case 'skip':
      return 'skipped';
    case 'park':
      return 'parked';
    case 'execute':
      throw new Error(`event ${step.entry.eventId} was not decided on`);
  }
}

/** A withdrawn or skipped event keeps why it had failed; what cannot be read keeps why. */
function keepsError(step: PlannedStep): boolean {
  return step.kind !== 'complete' && step.kind !== 'park';
}
