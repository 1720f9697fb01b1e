import type { EventErrorCode } from '../errors/codes.ts';
import type { RollbackMode, Rules } from './event.ts';
import { isCud, standingOf, type ExistingEntry } from './history.ts';

/** What a rollback asks for: the part of the compensating event that the decision reads. */
export interface RollbackRequest {
  readonly targets: readonly string[];
  readonly mode: RollbackMode;
  readonly upTo: string | null;
  readonly rules: Rules;
}

export type RollbackDecision =
  | { readonly isAccepted: true; readonly withdraws: readonly string[] }
  | {
      readonly isAccepted: false;
      readonly code: Extract<EventErrorCode, 'NOT_FOUND' | 'PLAN_CHANGED' | 'WOULD_INVALIDATE'>;
      readonly message: string;
      /** The events that stand in the way. */
      readonly events: readonly string[];
    };

/**
 * Decides a rollback on the user's history in the log alone, by existence alone, whatever this service did with it
 * (DESIGN 5): so two services that read the same log decide alike. `history` is what lies before the rollback.
 */
export function decideRollback(
  history: readonly ExistingEntry[],
  request: RollbackRequest,
): RollbackDecision {
  const wanted = new Set(request.targets);
  const first = history.findIndex((entry) => wanted.has(entry.eventId));
  if (first < 0) {
    return refuse('NOT_FOUND', 'None of the targets is known here', request.targets);
  }
  const before = standingOf(history);
  const withdraws = history
    .filter((entry, index) => {
      if (wanted.has(entry.eventId)) return true;
      return request.mode === 'cascade' && index > first && isCud(entry) && before.has(entry.eventId);
    })
    .map((entry) => entry.eventId);
  if (request.mode === 'cascade' && request.upTo !== null) {
    const newer = behindPlan(history, withdraws, request.upTo).filter((id) => !wanted.has(id));
    if (newer.length > 0) {
      return refuse('PLAN_CHANGED', 'Events came after the plan that the cascade would take too', newer);
    }
  }
  const broken = newlyInvalid(history, before, withdraws, request.rules);
  if (broken.length > 0) {
    return refuse(
      'WOULD_INVALIDATE',
      'Without the targets an event would stand that cannot be executed',
      broken,
    );
  }
  return { isAccepted: true, withdraws };
}

function refuse(
  code: 'NOT_FOUND' | 'PLAN_CHANGED' | 'WOULD_INVALIDATE',
  message: string,
  events: readonly string[],
): RollbackDecision {
  return { isAccepted: false, code, message, events };
}

/** Those of `withdraws` that lie behind `upTo`; all of them where `upTo` is not in the history. */
function behindPlan(
  history: readonly ExistingEntry[],
  withdraws: readonly string[],
  upTo: string,
): readonly string[] {
  const newest = history.findIndex((entry) => entry.eventId === upTo);
  const listed = new Set(withdraws);
  return history
    .filter((entry, index) => index > newest && listed.has(entry.eventId))
    .map((entry) => entry.eventId);
}

function newlyInvalid(
  history: readonly ExistingEntry[],
  before: ReadonlySet<string>,
  withdraws: readonly string[],
  rules: Rules,
): readonly string[] {
  const rollback: ExistingEntry = { eventId: '', partition: 0, operation: 'rollback', withdraws };
  const invalid = invalidOf(history, standingOf([...history, rollback]), rules);
  if (invalid.size === 0) return [];
  const invalidBefore = invalidOf(history, before, rules);
  return [...invalid].filter((id) => !invalidBefore.has(id));
}

/**
 * The standing events that the rules would refuse, by existence alone. The user's first event in the log says what was
 * before: a create presupposes absence, a put nothing, the rest presence.
 */
function invalidOf(
  history: readonly ExistingEntry[],
  standing: ReadonlySet<string>,
  rules: Rules,
): ReadonlySet<string> {
  const invalid = new Set<string>();
  if (rules === 'lenient') return invalid;
  const first = history.find(isCud)?.operation;
  let exists: boolean | null = first === 'create' ? false : first === 'put' ? null : true;
  for (const entry of history) {
    if (!standing.has(entry.eventId)) continue;
    switch (entry.operation) {
      case 'create':
        if (exists === true) invalid.add(entry.eventId);
        exists = true;
        break;
      case 'put':
        exists = true;
        break;
      case 'update':
        if (exists === false) invalid.add(entry.eventId);
        break;
      case 'delete':
        if (exists === false) invalid.add(entry.eventId);
        exists = false;
        break;
      case 'rollback':
      case null:
        break;
    }
  }
  return invalid;
}
