import type { EventError } from '../../domain/column-values.ts';
import type { RollbackEvent, Status } from '../../domain/event.ts';
import {
  boolArray,
  int2Array,
  int8ArrayOfNumbers,
  jsonArray,
  textArray,
  uuidArray,
} from '../binary-array.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';

/** A new word of the ledger on an event that it has, without executing it. */
export interface Relabel {
  readonly eventId: string;
  readonly status: Status;
  readonly blockedBy: string | null;
  /** Null clears the error, `keep` leaves what is recorded. */
  readonly error: EventError | 'keep' | null;
  /** It was tried again: one more attempt. */
  readonly isAttempt: boolean;
}

/** Sets statuses. An event that is no longer applied loses its image: nothing is rewound to it again. One row each. */
export async function relabel(db: Queryable, schema: string, labels: readonly Relabel[]): Promise<void> {
  if (labels.length === 0) return;
  const text = `update ${quoteIdentifier(schema)}.ledger l set status = a.status, decided_at = now(),
      blocked_by = a.blocked_by, attempts = l.attempts + a.tried,
      before = case when a.status = 'applied' then l.before end,
      before_exists = case when a.status = 'applied' then l.before_exists end,
      error_code = case when a.keeps then l.error_code else a.error->>'code' end,
      sqlstate = case when a.keeps then l.sqlstate else a.error->>'sqlState' end,
      error_message = case when a.keeps then l.error_message else a.error->>'message' end,
      error_detail = case when a.keeps then l.error_detail else a.error->'detail' end
    from unnest($1::uuid[], $2::text[], $3::uuid[], $4::bool[], $5::json[], $6::int2[])
      as a(event_id, status, blocked_by, keeps, error, tried)
    where l.event_id = a.event_id`;
  await db.query(text, [
    uuidArray(labels.map((label) => label.eventId)),
    textArray(labels.map((label) => label.status)),
    uuidArray(labels.map((label) => label.blockedBy)),
    boolArray(labels.map((label) => label.error === 'keep')),
    jsonArray(labels.map(({ error }) => (error === null || error === 'keep' ? null : JSON.stringify(error)))),
    int2Array(labels.map((label) => (label.isAttempt ? 1 : 0))),
  ]);
}

/** Why an event was decided on again: the audit trail that `trace` prints. */
export interface AttemptCause {
  readonly cause: 'consume' | 'retry' | 'skip' | 'rollback' | 'fix' | 'prune';
  /** The rollback event behind it, if one is. */
  readonly causedBy: string | null;
  readonly operator: string | null;
  readonly reason: string | null;
}

export interface Attempt extends AttemptCause {
  readonly eventId: string;
  readonly status: Status;
  readonly error: EventError | null;
}

/** Adds to the audit trail, one row each. */
export async function recordAttempts(
  db: Queryable,
  schema: string,
  attempts: readonly Attempt[],
): Promise<void> {
  if (attempts.length === 0) return;
  const text = `insert into ${quoteIdentifier(schema)}.attempt
      (event_id, cause, caused_by, operator, reason, status, error_code, sqlstate, error_message)
    select a.* from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[]) a`;
  await db.query(text, [
    uuidArray(attempts.map((attempt) => attempt.eventId)),
    textArray(attempts.map((attempt) => attempt.cause)),
    uuidArray(attempts.map((attempt) => attempt.causedBy)),
    textArray(attempts.map((attempt) => attempt.operator)),
    textArray(attempts.map((attempt) => attempt.reason)),
    textArray(attempts.map((attempt) => attempt.status)),
    textArray(attempts.map((attempt) => attempt.error?.code)),
    textArray(attempts.map((attempt) => attempt.error?.sqlState)),
    textArray(attempts.map((attempt) => attempt.error?.message)),
  ]);
}

/** What the ledger is to hold of a rollback event. */
export interface RollbackRow {
  readonly event: RollbackEvent;
  readonly eventId: string;
  readonly status: Extract<Status, 'applied' | 'failed' | 'refused'>;
  readonly withdraws: readonly string[] | null;
  readonly error: EventError | null;
}

/** Inserts the ledger rows of rollback events, one each. 23505 on `ledger_event_id` where one is known. */
export async function insertRollbacks(
  db: Queryable,
  schema: string,
  generation: number,
  rows: readonly RollbackRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const text = `insert into ${quoteIdentifier(schema)}.ledger (event_id, generation, partition, "offset", user_id, operation,
      status, published_at, ce_id, data, withdraws, error_code, error_message, error_detail)
    select a.event_id, $1, a.partition, a.at, a.user_id, 'rollback', a.status, to_timestamp(a.published_ms / 1000.0), a.ce_id, a.data,
      a.withdraws::uuid[], a.error->>'code', a.error->>'message', a.error->'detail'
    from unnest($2::uuid[], $3::int[], $4::int8[], $5::text[], $6::text[], $7::int8[], $8::text[], $9::json[], $10::text[], $11::json[])
      as a(event_id, partition, at, user_id, status, published_ms, ce_id, data, withdraws, error)`;
  await db.query(text, [
    generation,
    uuidArray(rows.map((row) => row.eventId)),
    rows.map((row) => row.event.partition),
    rows.map((row) => row.event.offset),
    textArray(rows.map((row) => row.event.userId)),
    textArray(rows.map((row) => row.status)),
    int8ArrayOfNumbers(rows.map((row) => row.event.timestamp)),
    textArray(rows.map((row) => row.event.ceId)),
    jsonArray(rows.map((row) => row.event.value)),
    // UUIDs alone: nothing in them needs a quote.
    textArray(rows.map((row) => (row.withdraws === null ? null : `{${row.withdraws.join(',')}}`))),
    jsonArray(rows.map((row) => (row.error === null ? null : JSON.stringify(row.error)))),
  ]);
}
