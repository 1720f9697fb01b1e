import type { Operation, RollbackMode, Rules } from './event.ts';
import type { ExistingEntry } from './history.ts';
import type { RollbackDecision } from './rollback-decision.ts';
import { outlook, type RollbackOutlook } from './rollback-plan.ts';

/** Longer histories are seldom alike. */
const LONGEST = 16;
/** Of which each is looked at once. */
const MOST_SHAPES = 1000;
const NONE: readonly string[] = [];
const LETTERS: Readonly<Record<Operation, string>> = {
  create: 'c',
  put: 'p',
  update: 'u',
  delete: 'd',
  rollback: 'r',
};

/**
 * `outlook` for many users, of one mode and rules. It looks at existence alone (DESIGN 5), so that of two histories with
 * the same operations in the same order, and the same of them wanted, it is the same but for the ids. A bulk has few such
 * shapes and many users: each is worked out once. Histories with rollbacks are worked out one by one.
 */
export class Outlooks {
  readonly #mode: RollbackMode | null;
  readonly #rules: Rules;
  readonly #shapes = new Map<string, OutlookShape>();

  constructor(mode: RollbackMode | null, rules: Rules) {
    this.#mode = mode;
    this.#rules = rules;
  }

  /** As `outlook` says. Pure but for what it remembers. */
  of(history: readonly ExistingEntry[], targets: readonly string[]): RollbackOutlook {
    const shape = shapeOf(history, targets);
    const known = shape === null ? undefined : this.#shapes.get(shape);
    if (known !== undefined) return withIds(known, history);
    const found = outlook(history, { targets, mode: this.#mode, rules: this.#rules });
    if (shape !== null && this.#shapes.size < MOST_SHAPES)
      this.#shapes.set(shape, withoutIds(found, history));
    return found;
  }
}

/** An outlook with places in the history instead of ids. */
interface OutlookShape {
  readonly outlook: RollbackOutlook;
  readonly later: readonly number[];
  /** What is withdrawn, or stands in the way. */
  readonly decided: readonly number[];
}

/** Null: too long, with a rollback, or a target is not in it. */
function shapeOf(history: readonly ExistingEntry[], targets: readonly string[]): string | null {
  if (history.length > LONGEST || targets.length === 0 || targets.length > history.length) return null;
  let shape = '';
  let wanted = 0;
  for (const { eventId, operation, withdraws } of history) {
    if (withdraws !== null) return null;
    shape += operation === null ? '-' : LETTERS[operation];
    if (!targets.includes(eventId)) continue;
    shape += '*';
    wanted += 1;
  }
  return wanted === targets.length ? shape : null;
}

function withoutIds(found: RollbackOutlook, history: readonly ExistingEntry[]): OutlookShape {
  const placeOf = (id: string): number => history.findIndex(({ eventId }) => eventId === id);
  return {
    outlook: found,
    later: found.later.map(placeOf),
    decided: idsOf(found.decision).map(placeOf),
  };
}

function withIds(
  { outlook: { kind, mode, decision }, later, decided }: OutlookShape,
  history: readonly ExistingEntry[],
): RollbackOutlook {
  return {
    kind,
    mode,
    later: idsAt(history, later),
    decision: decision.isAccepted
      ? { isAccepted: true, withdraws: idsAt(history, decided) }
      : { ...decision, events: idsAt(history, decided) },
    upTo: history.at(-1)?.eventId ?? null,
  };
}

function idsOf(decision: RollbackDecision): readonly string[] {
  return decision.isAccepted ? decision.withdraws : decision.events;
}

function idsAt(history: readonly ExistingEntry[], places: readonly number[]): readonly string[] {
  return places.length === 0 ? NONE : places.map((at) => history[at]?.eventId ?? '');
}
