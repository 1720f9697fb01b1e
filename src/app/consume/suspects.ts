import type { EventError } from '../../domain/column-values.ts';
import type { Decision } from '../../domain/fold.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';

/** Facts go stale by a writer beside us; twice in a row is a busy one, more is something else. */
const MOST_STALE = 3;

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
  #stale = 0;

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

  /**
   * The facts were read and the statement says again that they are stale: true once reading them anew has not helped
   * for some rounds (a trigger that changes keys, say). Then it is the table that refuses.
   */
  isStaleForGood(): boolean {
    return ++this.#stale > MOST_STALE;
  }

  /**
   * A statement of `taken` events was refused. A cancelled one (57014) counts only the second time it stands alone.
   * UNEXPECTED where the event is recorded as failed already and still refused: its ledger row cannot be written.
   */
  narrow(
    kind: 'refused' | 'cancelled',
    error: EventError,
    decisions: readonly Decision[],
    taken: number,
  ): void {
    const first = decisions[0];
    if (taken > 1 || first === undefined) {
      this.#most = Math.max(1, Math.ceil(taken / 2));
      return;
    }
    const { event } = first;
    if (kind === 'cancelled') {
      // Of an event that is not executed only the wait for a lock can have been cut: it is tried again.
      if (first.status === 'applied' && ++this.#cancelledAlone > 1) this.guilty.set(event.eventId, error);
      return;
    }
    if (first.status !== 'applied') {
      const place = `partition ${String(event.partition)}, offset ${String(event.offset)}`;
      throw new UserEventsError(
        'UNEXPECTED',
        `The ledger cannot keep the event at ${place}: ${error.message}`,
      );
    }
    this.guilty.set(event.eventId, error);
  }
}
