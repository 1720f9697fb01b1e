import type { EventError } from '../../domain/column-values.ts';
import type { RollbackTerms } from '../../domain/envelope.ts';
import type { JsonObject, Status } from '../../domain/event.ts';
import type { RawJson } from '../../domain/raw-json.ts';
import type { AttemptRow } from '../../postgres/sql/read-attempts.ts';
import type { ConstraintDefinition } from '../../postgres/sql/read-constraint.ts';
import type { InvalidValue } from '../../postgres/sql/read-invalid-values.ts';
import type { PendingEvent } from '../log/pending-event.ts';
import type { RowEffect } from './row-effect.ts';

/** `pending`: the log has it, this service has not read it. */
export type TracedStatus = Status | 'pending';

/** One event's whole story, as `trace EVENT_ID --json` prints it. What is not known is null. */
export interface EventTrace {
  readonly eventId: string;
  /** The id as the producer wrote it, where it is not the UUID itself. */
  readonly ceId: string | null;
  readonly operation: string | null;
  readonly userId: string | null;
  readonly status: TracedStatus;
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** ISO 8601: when it was published. */
  readonly timestamp: string;
  readonly published: Published;
  /** ISO 8601: the last decision on it; null while it is pending. */
  readonly decidedAt: string | null;
  readonly attempts: number;
  readonly error: TracedError | null;
  /** What it carries, without the user id. */
  readonly fields: JsonObject | null;
  /** The value's bytes, where they are no JSON object that could be read. */
  readonly raw: { readonly value: string; readonly encoding: 'text' | 'base64' } | null;
  readonly row: RowEffect | null;
  /** Why `row` is null, where it need not be. */
  readonly rowMissing: string | null;
  /** The failed event that this one waits behind, or, while it is pending, would. */
  readonly blockedBy: EventRef | null;
  readonly parked: Parked;
  /** Every accepted rollback that lists it, oldest first. */
  readonly withdrawnBy: readonly RollbackRef[];
  /** Rollbacks in the log that list it, and that this service has not executed yet. */
  readonly underWay: readonly PendingEvent[];
  /** What it asks for and withdraws, for a rollback. */
  readonly rollback: TracedRollback | null;
  readonly decisions: Decisions;
  /** How far this service is from it, while it is pending. */
  readonly backlog: Backlog | null;
  readonly next: readonly NextStep[];
}

/** Who published it: from the record in the log, where that can be read. */
export interface Published {
  /** The record as `log --json` prints it. */
  readonly record: RawJson | null;
  /** Why there is no record: gone from the log, or the log cannot be read. */
  readonly missing: string | null;
  /** `ce_source`. */
  readonly source: string | null;
  /** `ce_type`. */
  readonly type: string | null;
  readonly traceparent: string | null;
  /** The event that led to it. */
  readonly causationId: string | null;
}

export interface TracedError extends EventError {
  /** What to do about its code. */
  readonly hint: string;
  /** What the constraint says, and the user who has the value of a unique one now. */
  readonly constraint: (ConstraintDefinition & { readonly heldBy: string | null }) | null;
  /** The columns that cannot take the event's value. */
  readonly invalid: readonly InvalidValue[];
}

/** Another event of the same user. */
export interface EventRef {
  readonly eventId: string;
  readonly operation: string | null;
  readonly status: Status;
  readonly partition: number;
  readonly offset: bigint;
  readonly code: string | null;
}

export interface Parked {
  readonly count: number;
  /** The first few, in order. */
  readonly first: readonly EventRef[];
}

export interface RollbackRef extends EventRef {
  readonly timestamp: string;
  /** False: it was withdrawn itself, or skipped here, so that it withdraws nothing. */
  readonly isStanding: boolean;
  readonly mode: RollbackTerms['mode'] | null;
  readonly operator: string | null;
  readonly reason: string | null;
}

export interface TracedRollback extends RollbackTerms {
  /** The list that was fixed when it was decided; null where it was refused, or is pending. */
  readonly withdraws: Parked | null;
}

export interface Decisions {
  /** All after the first. */
  readonly count: number;
  /** The newest, oldest first. */
  readonly newest: readonly AttemptRow[];
}

export interface Backlog {
  /** Null: this service has not begun to read the partition. */
  readonly nextOffset: bigint | null;
  /** It lies before the offset at which this service began: it will never be executed here. */
  readonly isBeforeStart: boolean;
}

/** A command to type next, and what it is for. */
export interface NextStep {
  readonly command: string;
  readonly purpose: string;
}
