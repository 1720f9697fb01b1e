import type { EventErrorCode } from '../errors/codes.ts';
import type { JsonObject } from '../domain/event.ts';
import { classOf, type EventFailureClass } from '../domain/event-failure-class.ts';
import { inTransaction, type Database } from '../postgres/transaction.ts';
import { readBinding } from '../postgres/sql/read-binding.ts';
import {
  countFailures,
  readFailures,
  type FailureCount,
  type FailureRow,
} from '../postgres/sql/read-failures.ts';
import { failureFilter, type FailuresWanted } from './failures/wanted.ts';
import { isoTime } from './trace/iso-time.ts';

/** One failed event, as `failures --json` prints it, a line each; `rollback --from-file` takes the lines. */
export interface Failure {
  readonly eventId: string;
  /** Null where the record has no usable key. */
  readonly userId: string | null;
  /** Null where the record cannot be read. */
  readonly operation: string | null;
  readonly partition: number;
  readonly offset: bigint;
  /** ISO 8601: when it was published. */
  readonly timestamp: string;
  readonly class: EventFailureClass;
  readonly code: EventErrorCode;
  readonly sqlState: string | null;
  readonly message: string;
  /** Constraint, column, field, and what PostgreSQL said of the value; null where there is nothing more to say. */
  readonly detail: JsonObject | null;
  readonly attempts: number;
  /** ISO 8601: when it failed, the last time. */
  readonly decidedAt: string;
  /** How many events wait behind it. */
  readonly parked: number;
}

export interface FailuresRequest {
  readonly wanted: FailuresWanted;
  /** The newest so many; null: all. */
  readonly limit: number | null;
  /** Count them all by code, whatever the limit. */
  readonly isCounted: boolean;
  /** ms since the epoch. */
  readonly nowMs: number;
  /** Told by pages of up to 1000, newest last. */
  readonly onPage: (failures: readonly Failure[]) => Promise<void>;
}

/** How many there are, by code, the most frequent first; empty where they were not counted. */
export interface FailuresSummary {
  readonly failed: number;
  readonly parked: number;
  readonly codes: readonly FailureCount[];
}

/**
 * Lists this service's failed events in the order in which they failed, newest last, in one snapshot. Memory stays flat.
 * USAGE for a time that is none, NOT_INITIALISED.
 */
export async function listFailures(database: Database, request: FailuresRequest): Promise<FailuresSummary> {
  const { pool, schema } = database;
  await readBinding(pool, schema);
  return inTransaction(pool, 'repeatable read', async (client) => {
    const filter = await failureFilter(client, schema, request.wanted, request.nowMs);
    await readFailures(client, schema, filter, request.limit, (rows) => request.onPage(rows.map(toFailure)));
    const codes = request.isCounted ? await countFailures(client, schema, filter) : [];
    return {
      failed: codes.reduce((sum, { failed }) => sum + failed, 0),
      parked: codes.reduce((sum, { parked }) => sum + parked, 0),
      codes,
    };
  });
}

function toFailure(row: FailureRow): Failure {
  const { eventId, userId, operation, partition, offset, code, sqlState, message, detail, attempts } = row;
  return {
    eventId,
    userId,
    operation,
    partition,
    offset,
    timestamp: isoTime(row.timestamp),
    class: classOf(operation, code),
    code,
    sqlState,
    message,
    detail,
    attempts,
    decidedAt: row.decidedAt.toISOString(),
    parked: row.parked,
  };
}
