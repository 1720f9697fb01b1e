import type { EventError } from '../../domain/column-values.ts';
import type { JsonObject, LogEvent, RollbackMode, Status } from '../../domain/event.ts';
import type { HistoryEntry } from '../../domain/history.ts';
import type { RollbackOutlook } from '../../domain/rollback-plan.ts';
import type { PendingEvent } from '../log/pending-event.ts';
import type { Ahead } from '../log/read-pending.ts';

/** What a rollback of one user's events would do in this service. */
export interface UserPlan {
  readonly userId: string;
  readonly targets: readonly string[];
  /** Where the compensating event goes: the partition of the user's newest event. */
  readonly partition: number;
  readonly outlook: RollbackOutlook;
  /** Events of this user in the log that this service has not executed yet, in order. */
  readonly pending: readonly PendingEvent[];
  /** The pending rollback that withdraws the targets already; null where there is none. */
  readonly underWay: PendingEvent | null;
  /**
   * The rollback that withdraws the targets already and could not be executed here (drift, say): it waits for `retry`, and
   * another one would change nothing. Null where there is none.
   */
  readonly failedHere: { readonly eventId: string; readonly error: EventError | null } | null;
  /** True: what follows was executed and undone. False (many users): it was decided alone, and what follows is empty. */
  readonly isTriedOut: boolean;
  /** The row now, and as it would be; null = there is none. */
  readonly now: JsonObject | null;
  readonly then: JsonObject | null;
  /** Events whose status would change, in order. */
  readonly changes: readonly {
    readonly eventId: string;
    readonly operation: string | null;
    readonly from: Status;
    readonly to: Status;
  }[];
  /** Why it could not be executed here as things are (drift, say); it would be recorded as failed. */
  readonly obstacle: EventError | null;
}

export interface PlanRequest {
  readonly mode: RollbackMode | null;
  readonly force: boolean;
  readonly ahead: Ahead;
  /** Try out whatever the number of users; else of more than 50 nothing is tried out. */
  readonly isThorough: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

/** A user, what the ledger has of her, and what was decided on that. */
export interface PlannedUser {
  readonly plan: UserPlan;
  readonly history: readonly HistoryEntry[];
  readonly ahead: readonly LogEvent[];
}
