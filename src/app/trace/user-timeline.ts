import type { EventError } from '../../domain/column-values.ts';
import type { Status } from '../../domain/event.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import { readBinding } from '../../postgres/sql/read-binding.ts';
import { countUserEvents, readUserEvents, type LedgerEvent } from '../../postgres/sql/read-event.ts';
import { inTransaction, type Database } from '../../postgres/transaction.ts';
import type { EventLog } from '../../log/event-log.ts';
import { findKeyType, type TypeSettings } from '../envelope-context.ts';
import { toPending, type PendingEvent } from '../log/pending-event.ts';
import { tryReadAhead, type Ahead } from '../log/read-pending.ts';
import { isoTime } from './iso-time.ts';

/** One user's events as this service's ledger has them, as `trace --user --json` prints them. */
export interface UserTimeline {
  readonly userId: string;
  /** How many events have which status, older ones that are not shown too. */
  readonly statuses: Partial<Record<Status, number>>;
  /** The newest, oldest first. */
  readonly events: readonly TimelineEvent[];
  /** How many older ones are not shown. */
  readonly older: number;
  /** What the log has of the user and this service has not executed yet, in order. */
  readonly pending: readonly PendingEvent[];
  /** Why there may be more of those; null where all were looked at. */
  readonly aheadGap: string | null;
}

export interface TimelineEvent {
  readonly eventId: string;
  readonly partition: number;
  readonly offset: bigint;
  /** ISO 8601: when it was published. */
  readonly timestamp: string;
  /** ISO 8601: the last decision on it. */
  readonly decidedAt: string;
  /** Null where the record cannot be read or is ignored. */
  readonly operation: string | null;
  readonly status: Status;
  readonly attempts: number;
  /** The names of the fields that it carries; empty for a rollback, and where they were pruned. */
  readonly fields: readonly string[];
  readonly error: EventError | null;
  /** The failed event that it waits behind. */
  readonly blockedBy: string | null;
  /** How many events wait behind it. */
  readonly parked: number;
  /** The rollbacks in effect that list it. */
  readonly withdrawnBy: readonly string[];
  /** What it withdraws, for an accepted rollback. */
  readonly withdraws: readonly string[] | null;
  /** Who published a rollback, and why. */
  readonly operator: string | null;
  readonly reason: string | null;
}

/** What of the log is looked at besides; null: the log is not configured. */
export interface AheadOfUser {
  readonly openLog: () => Promise<EventLog>;
  readonly types: TypeSettings;
  readonly signal: AbortSignal;
}

/**
 * Tells the newest `limit` events of a user, in order, and what is in the log ahead of this service. EVENT_NOT_FOUND where
 * neither has any. A log that is away costs what is ahead.
 */
export async function traceUser(
  database: Database,
  userId: string,
  limit: number,
  ahead: AheadOfUser | null,
): Promise<UserTimeline> {
  const { pool, schema } = database;
  await readBinding(pool, schema);
  const { statuses, rows } = await inTransaction(pool, 'repeatable read', async (client) => ({
    statuses: await countUserEvents(client, schema, userId),
    rows: await readUserEvents(client, schema, userId, limit),
  }));
  const { byUser, gap } = await lookAhead(database, userId, rows, ahead);
  const known = new Set(rows.map(({ eventId }) => eventId));
  const pending = (byUser.get(userId) ?? []).filter(({ eventId }) => !known.has(eventId)).map(toPending);
  if (rows.length + pending.length === 0) {
    throw new UserEventsError('EVENT_NOT_FOUND', `The ledger ${schema} has no events of user ${userId}`, {
      hint: 'Check the id; `user-events log --user` shows what the log has.',
    });
  }
  const total = Object.values(statuses).reduce((sum, events) => sum + events, 0);
  const older = total - rows.length;
  return { userId, statuses, events: toTimeline(rows), older, pending, aheadGap: gap };
}

async function lookAhead(
  database: Database,
  userId: string,
  rows: readonly LedgerEvent[],
  ahead: AheadOfUser | null,
): Promise<Ahead> {
  if (ahead === null) return { byUser: new Map(), gap: null };
  const { openLog, types, signal } = ahead;
  const keyType = (await findKeyType(database)) ?? 'text';
  const users = new Map([[userId, [...new Set(rows.map(({ partition }) => partition))]]]);
  return tryReadAhead(database, openLog, { users, keyType, types, signal });
}

/** Whatever withdraws an event or waits behind it comes after it, so that it is among the rows too. */
function toTimeline(rows: readonly LedgerEvent[]): readonly TimelineEvent[] {
  const withdrawnBy = new Map<string, string[]>();
  const parked = new Map<string, number>();
  for (const { eventId, status, withdraws, blockedBy } of rows) {
    if (blockedBy !== null) parked.set(blockedBy, (parked.get(blockedBy) ?? 0) + 1);
    // One that was withdrawn itself, or skipped here, withdraws nothing.
    if (status !== 'applied' && status !== 'failed') continue;
    for (const id of withdraws ?? []) withdrawnBy.set(id, [...(withdrawnBy.get(id) ?? []), eventId]);
  }
  return rows.map((row) => ({
    eventId: row.eventId,
    partition: row.partition,
    offset: row.offset,
    timestamp: isoTime(row.timestamp),
    decidedAt: row.decidedAt.toISOString(),
    operation: row.operation,
    status: row.status,
    attempts: row.attempts,
    fields: row.operation === 'rollback' ? [] : fieldNames(row),
    error: row.error,
    blockedBy: row.blockedBy,
    parked: parked.get(row.eventId) ?? 0,
    withdrawnBy: withdrawnBy.get(row.eventId) ?? [],
    withdraws: row.withdraws,
    operator: textOf(row, 'operator'),
    reason: textOf(row, 'reason'),
  }));
}

function fieldNames({ data }: LedgerEvent): readonly string[] {
  return Object.keys(data ?? {}).filter((name) => name !== 'userId');
}

function textOf({ operation, data }: LedgerEvent, name: 'operator' | 'reason'): string | null {
  const value = operation === 'rollback' ? data?.[name] : null;
  return typeof value === 'string' ? value : null;
}
