import type { EventError } from '../../domain/column-values.ts';
import type { Decision } from '../../domain/fold.ts';

/**
 * Which events of a refused batch are to blame: those that a probe names, and where it names none (a merged row is
 * refused that no event alone is) the batch is halved until the refused event stands alone (DESIGN 4). Asked only with
 * facts read, so that a stale prediction is never taken for an event's fault.
 */
export class Suspects {
  /** Events that the database has refused, standing alone. */
  readonly guilty = new Map<string, EventError>();
  #most: number;
  #cancelledAlone = 0;
  #isProbed = false;

  constructor(events: number) {
    this.#most = events;
  }

  /** How many events the next attempt takes at the most. */
  get most(): number {
    return this.#most;
  }

  /** A probe was made; its verdict, which may be empty, is in `guilty`. */
  accuse(refused: ReadonlyMap<string, EventError>): void {
    this.#isProbed = true;
    for (const [eventId, error] of refused) this.guilty.set(eventId, error);
  }

  /** A probe is worth its pass once a batch: for several events together. */
  isProbeDue(taken: number): boolean {
    return !this.#isProbed && taken > 1;
  }

  /** A statement of `taken` events was refused. A cancelled one (57014) counts only the second time it stands alone. */
  narrow(
    kind: 'refused' | 'cancelled',
    error: EventError,
    decisions: readonly Decision[],
    taken: number,
  ): void {
    const first = decisions[0];
    if (taken > 1 || first === undefined) this.#most = Math.max(1, Math.ceil(taken / 2));
    else if (kind === 'refused' || ++this.#cancelledAlone > 1) this.guilty.set(first.event.eventId, error);
  }
}
