import type { Applied } from './apply-events.ts';

/** What a consumer has done since it started. */
export interface Tally {
  readonly events: number;
  readonly applied: number;
  readonly failed: number;
  readonly parked: number;
  readonly skipped: number;
  readonly duplicates: number;
  readonly rollbacks: number;
  readonly rollbacksRefused: number;
  readonly rollbacksFailed: number;
}

/** Nothing done yet. */
export const EMPTY_TALLY: Tally = {
  events: 0,
  applied: 0,
  failed: 0,
  parked: 0,
  skipped: 0,
  duplicates: 0,
  rollbacks: 0,
  rollbacksRefused: 0,
  rollbacksFailed: 0,
};

/** A failed event, as the consumer saw it. */
export interface FailedEvent {
  readonly eventId: string;
  readonly userId: string | null;
  readonly partition: number;
  readonly offset: bigint;
  readonly code: string;
  readonly isRollback: boolean;
}

/** Counts what is committed, and failures in a row of different users (`--max-failed`, DESIGN 4). */
export class TallyKeeper {
  #tally = { ...EMPTY_TALLY };
  #failedInARow = new Set<string>();

  get tally(): Tally {
    return { ...this.#tally };
  }

  /** Users whose events failed one after the other, with none applied in between. */
  get failedInARow(): number {
    return this.#failedInARow.size;
  }

  /** Adds one commit; returns the events that failed in it. */
  add(applied: Applied): readonly FailedEvent[] {
    const tally = this.#tally;
    const failed: FailedEvent[] = [];
    tally.events += applied.decisions.length + applied.rollbacks.length + applied.duplicates;
    tally.duplicates += applied.duplicates;
    for (const { event, eventId, status, error } of applied.decisions) {
      tally[status]++;
      if (status === 'applied') this.#failedInARow.clear();
      if (status !== 'failed') continue;
      this.#failedInARow.add(event.userId ?? eventId);
      const { userId, partition, offset } = event;
      failed.push({
        eventId,
        userId,
        partition,
        offset,
        code: error?.code ?? 'UNEXPECTED',
        isRollback: false,
      });
    }
    for (const { event, eventId, status, error } of applied.rollbacks) {
      if (status === 'applied') tally.rollbacks++;
      else if (status === 'refused') tally.rollbacksRefused++;
      else {
        tally.rollbacksFailed++;
        const { userId, partition, offset } = event;
        failed.push({
          eventId,
          userId,
          partition,
          offset,
          code: error?.code ?? 'UNEXPECTED',
          isRollback: true,
        });
      }
    }
    return failed;
  }
}
