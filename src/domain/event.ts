import type { EventErrorCode } from '../errors/codes.ts';

/** The four operations that change a user, and the one that withdraws others. */
export const CUD_OPERATIONS = ['create', 'update', 'delete', 'put'] as const;
export type CudOperation = (typeof CUD_OPERATIONS)[number];
export type Operation = CudOperation | 'rollback';

/** What the ledger can say of an event. `parked` has no error of its own: it waits behind a failed one. */
export const STATUSES = ['applied', 'failed', 'parked', 'rolled_back', 'skipped', 'refused'] as const;
export type Status = (typeof STATUSES)[number];

export type Rules = 'strict' | 'lenient';

export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;
export interface JsonObject {
  [field: string]: JsonValue;
}

/** What every entry of the log has, once it is read. */
export interface EventHead {
  /** UUID, lower case: the identity in the ledger (DESIGN 3). */
  readonly eventId: string;
  /** `ce_id` where it is not the UUID itself; null where it is, or where the record has none. */
  readonly ceId: string | null;
  /** `ce_source`; null for foreign records. */
  readonly source: string | null;
  /** True where the id was derived from the record's place in the log, since the record carries none. */
  readonly isIdDerived: boolean;
  readonly partition: number;
  readonly offset: bigint;
  /** The record's timestamp, ms since the epoch. */
  readonly timestamp: number;
}

export interface CudEvent extends EventHead {
  readonly kind: 'cud';
  readonly operation: CudOperation;
  readonly userId: string;
  /** The user's data without `userId`; empty for a delete. */
  readonly fields: JsonObject;
  /** The data's JSON: the value's bytes as they lie in the log, of structured mode its `data`; null for none. */
  readonly value: Buffer | null;
}

export const ROLLBACK_MODES = ['only', 'cascade'] as const;
export type RollbackMode = (typeof ROLLBACK_MODES)[number];

/** The compensating event: withdraws its targets, and with `cascade` every later standing CUD event of the user. */
export interface RollbackEvent extends EventHead {
  readonly kind: 'rollback';
  readonly operation: 'rollback';
  readonly userId: string;
  /** UUIDs of the events to withdraw, of this user. */
  readonly targets: readonly string[];
  readonly mode: RollbackMode;
  /** The newest event of the user that the plan showed; null where no plan was shown. */
  readonly upTo: string | null;
  /** Execute over drift. */
  readonly force: boolean;
  readonly reason: string | null;
  readonly operator: string | null;
  /** The rules by which every service decides on it. */
  readonly rules: Rules;
  readonly value: Buffer | null;
}

/** A record that cannot be read as an event. It is failed, with its raw bytes, and parks the user of its key. */
export interface UnreadableEvent extends EventHead {
  readonly kind: 'unreadable';
  /** The user of its key; null where there is no usable key: then it parks nobody. */
  readonly userId: string | null;
  readonly code: Extract<EventErrorCode, 'UNREADABLE' | 'UNKNOWN_TYPE' | 'EVENT_ID_REUSED'>;
  /** Why, in one line, without the user's data. */
  readonly reason: string;
  readonly value: Buffer | null;
}

/** A record whose `ce_type` the configuration ignores: passed over, with a ledger row of status `skipped`. */
export interface IgnoredEvent extends EventHead {
  readonly kind: 'ignored';
  readonly userId: string | null;
  readonly ceType: string;
  readonly value: Buffer | null;
}

export type LogEvent = CudEvent | RollbackEvent | UnreadableEvent | IgnoredEvent;
