import type { RollbackMode, Rules } from './event.ts';
import { isCud, standingOf, type ExistingEntry } from './history.ts';
import { decideRollback, type RollbackDecision } from './rollback-decision.ts';

/** What an operator wants withdrawn, of one user. */
export interface RollbackWish {
  readonly targets: readonly string[];
  /** Null: not said. Then `later` events are to be asked about. */
  readonly mode: RollbackMode | null;
  readonly rules: Rules;
}

export interface RollbackOutlook {
  /** `already`: everything wanted is withdrawn; nothing is to be sent. `choose`: later events are in the way. */
  readonly kind: 'already' | 'choose' | 'decided';
  readonly mode: RollbackMode;
  /** Standing CUD events behind the earliest target, not wanted themselves: what a cascade would take too. */
  readonly later: readonly string[];
  readonly decision: RollbackDecision;
  /** The newest event that the plan was made on. */
  readonly upTo: string | null;
}

/** What every service would decide on a rollback published now, on this service's history (DESIGN 5). Pure. */
export function outlook(history: readonly ExistingEntry[], wish: RollbackWish): RollbackOutlook {
  const wanted = new Set(wish.targets);
  const standing = standingOf(history);
  const first = history.findIndex((entry) => wanted.has(entry.eventId));
  const later = history
    .filter(
      (entry, index) =>
        first >= 0 &&
        index > first &&
        isCud(entry) &&
        !wanted.has(entry.eventId) &&
        standing.has(entry.eventId),
    )
    .map(({ eventId }) => eventId);
  const upTo = history.at(-1)?.eventId ?? null;
  const mode = wish.mode ?? 'only';
  const decision = decideRollback(history, { targets: wish.targets, mode, upTo, rules: wish.rules });
  const isAlready =
    decision.isAccepted &&
    decision.withdraws.every((id) => !standing.has(id)) &&
    (mode === 'only' || later.length === 0);
  const kind = isAlready ? 'already' : wish.mode === null && later.length > 0 ? 'choose' : 'decided';
  return { kind, mode, later, decision, upTo };
}
