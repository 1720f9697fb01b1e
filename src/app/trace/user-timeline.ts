import type { EventError } from '../../domain/column-values.ts';
import type { Status } from '../../domain/event.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import { readAttemptsOfEach } from '../../postgres/sql/read-attempts.ts';
import { readBinding } from '../../postgres/sql/read-binding.ts';
import { countUserEvents, readUserEvents, type LedgerEvent } from '../../postgres/sql/read-event.ts';
import { readHistories } from '../../postgres/sql/read-history.ts';
import { inTransaction, type Database, type PoolClient } from '../../postgres/transaction.ts';
import { findKeyType } from '../envelope-context.ts';
import { toPending, type PendingEvent } from '../log/pending-event.ts';
import { tryReadAhead, type Ahead } from '../log/read-pending.ts';
import type { Decisions } from './event-trace.ts';
import { isoTime } from './iso-time.ts';
import { readEffects } from './read-effect.ts';
import { readSources, type AheadOfUser } from './read-sources.ts';
import type { RowEffect } from './row-effect.ts';
import { storyContext, type StoryContext } from './story-context.ts';

/** Of each event so many decisions, the newest. */
const DECISIONS = 20;

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
  /** What it did to the row, or would do: the fields that it carries or changes. Null where it has no effect of its own. */
  readonly change: TimelineChange | null;
  /** Who published it, as its record in the log says; null where that cannot be read. */
  readonly source: string | null;
  /** Every decision after the first. */
  readonly decisions: Decisions;
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

/** As `trace EVENT_ID` tells it, without the rows as a whole. */
export type TimelineChange = Pick<RowEffect, 'kind' | 'source' | 'fields'> & {
  /** Whether there was a row before, and is one after it; null: not known. */
  readonly isThere: { readonly before: boolean | null; readonly after: boolean | null };
};

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
  const context = await storyContext(database, await readBinding(pool, schema));
  const told = await inTransaction(pool, 'repeatable read', (client) =>
    readTold(client, context, userId, limit),
  );
  const { statuses, rows } = told;
  const { byUser, gap, sources } = await lookAtLog(database, userId, rows, ahead);
  const known = new Set(rows.map(({ eventId }) => eventId));
  const pending = (byUser.get(userId) ?? []).filter(({ eventId }) => !known.has(eventId)).map(toPending);
  if (rows.length + pending.length === 0) {
    throw new UserEventsError('EVENT_NOT_FOUND', `The ledger ${schema} has no events of user ${userId}`, {
      hint: 'Check the id; `user-events log --user` shows what the log has.',
    });
  }
  const total = Object.values(statuses).reduce((sum, events) => sum + events, 0);
  const older = total - rows.length;
  return { userId, statuses, events: toTimeline(told, sources), older, pending, aheadGap: gap };
}

/** What the ledger has of a user, in one snapshot. */
interface Told {
  readonly statuses: UserTimeline['statuses'];
  readonly rows: readonly LedgerEvent[];
  readonly effects: ReadonlyMap<string, RowEffect>;
  readonly decisions: ReadonlyMap<string, Decisions>;
}

async function readTold(
  client: PoolClient,
  context: StoryContext,
  userId: string,
  limit: number,
): Promise<Told> {
  const { schema } = context;
  const statuses = await countUserEvents(client, schema, userId);
  const rows = await readUserEvents(client, schema, userId, limit);
  const eventIds = rows.map(({ eventId }) => eventId);
  const history = (await readHistories(client, schema, [userId])).get(userId) ?? [];
  const effects = await readEffects(client, context, { userId, history, eventIds: new Set(eventIds) });
  return {
    statuses,
    rows,
    effects,
    decisions: await readAttemptsOfEach(client, schema, eventIds, DECISIONS),
  };
}

async function lookAtLog(
  database: Database,
  userId: string,
  rows: readonly LedgerEvent[],
  ahead: AheadOfUser | null,
): Promise<Ahead & { readonly sources: ReadonlyMap<string, string> }> {
  if (ahead === null) return { byUser: new Map(), gap: null, sources: new Map() };
  const { openLog, types, signal } = ahead;
  const keyType = (await findKeyType(database)) ?? 'text';
  const users = new Map([[userId, [...new Set(rows.map(({ partition }) => partition))]]]);
  const found = await tryReadAhead(database, openLog, { users: () => users, keyType, types, signal });
  return { ...found, sources: await readSources(database, ahead, rows, keyType) };
}

function toChange(effect: RowEffect | undefined): TimelineChange | null {
  if (effect === undefined) return null;
  const { kind, source, before, after, fields } = effect;
  const told = fields.filter(({ isCarried, isChanged }) => isCarried || isChanged);
  const isRow = (row: RowEffect['before']): boolean | null => (row === undefined ? null : row !== null);
  return { kind, source, isThere: { before: isRow(before), after: isRow(after) }, fields: told };
}

/** Whatever withdraws an event or waits behind it comes after it, so that it is among the rows too. */
function toTimeline(
  { rows, effects, decisions }: Told,
  sources: ReadonlyMap<string, string>,
): readonly TimelineEvent[] {
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
    change: toChange(effects.get(row.eventId)),
    source: sources.get(row.eventId) ?? null,
    decisions: decisions.get(row.eventId) ?? { count: 0, newest: [] },
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
