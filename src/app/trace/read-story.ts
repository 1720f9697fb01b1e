import type { EventError } from '../../domain/column-values.ts';
import type { LogEvent, Status } from '../../domain/event.ts';
import { standingOf, type HistoryEntry } from '../../domain/history.ts';
import { readRollbackValue } from '../../domain/rollback-value.ts';
import { Unreadable } from '../../domain/unreadable.ts';
import { decodeUtf8 } from '../../domain/utf8.ts';
import { readAttempts } from '../../postgres/sql/read-attempts.ts';
import { readEvents, type LedgerEvent } from '../../postgres/sql/read-event.ts';
import { readHistories } from '../../postgres/sql/read-history.ts';
import type { PoolClient } from '../../postgres/transaction.ts';
import type { EventRef, EventTrace, Parked, RollbackRef, TracedRollback } from './event-trace.ts';
import { readError } from './read-error.ts';
import { readEffect } from './read-effect.ts';
import { isoTime } from './iso-time.ts';
import type { StoryContext } from './story-context.ts';

/** The story as far as the database knows it. */
export type Story = Omit<EventTrace, 'topic' | 'published' | 'next' | 'backlog' | 'underWay'>;

/** Decisions and rollbacks that are read of one event; a screen shows a few of them. */
const MOST_READ = 20;
/** Events that are named of a list. */
const FIRST = 5;

/** The story of an event that the ledger has, in one snapshot (repeatable read). Writes nothing, takes no locks. */
export async function readStory(
  client: PoolClient,
  context: StoryContext,
  event: LedgerEvent,
): Promise<Story> {
  const { eventId, userId, operation, error } = event;
  const history = await readHistory(client, context.schema, userId);
  const index = history.findIndex((entry) => entry.eventId === eventId);
  const attempts = await readAttempts(client, context.schema, eventId, MOST_READ);
  const effect = await readEffect(client, context, { event, history, index });
  const { ceId, status, partition, offset, timestamp, decidedAt } = event;
  return {
    eventId,
    ceId,
    operation,
    userId,
    status,
    partition,
    offset,
    timestamp: isoTime(timestamp),
    decidedAt: decidedAt.toISOString(),
    attempts: event.attempts,
    error: error === null ? null : await readError(client, context, error, effect),
    fields: history[index]?.fields ?? null,
    raw: rawOf(event.raw),
    row: effect,
    rowMissing: context.tableFault,
    blockedBy: refTo(history, event.blockedBy),
    parked: listOf(history.filter(isParkedBehind(eventId))),
    withdrawnBy: await readWithdrawals(client, context.schema, history, eventId),
    rollback: rollbackOf(event, history),
    decisions: attempts,
  };
}

/** The story of an event that this service has not read: what it would meet. */
export async function readPendingStory(
  client: PoolClient,
  context: StoryContext,
  event: LogEvent,
): Promise<Story> {
  const { eventId, ceId, userId, partition, offset, timestamp, kind } = event;
  const history = await readHistory(client, context.schema, userId);
  const effect =
    kind === 'cud' ? await readEffect(client, context, { event, history, index: history.length }) : null;
  const blocker = kind === 'rollback' ? undefined : history.find(({ status }) => status === 'failed');
  const error: EventError | null = kind === 'unreadable' ? { code: event.code, message: event.reason } : null;
  return {
    eventId,
    ceId,
    operation: kind === 'cud' || kind === 'rollback' ? event.operation : null,
    userId,
    status: 'pending',
    partition,
    offset,
    timestamp: isoTime(timestamp),
    decidedAt: null,
    attempts: 0,
    error: error === null ? null : await readError(client, context, error, null),
    fields: kind === 'cud' ? event.fields : null,
    raw: kind === 'unreadable' ? rawOf(event.value) : null,
    row: effect,
    rowMissing: context.tableFault,
    blockedBy: blocker === undefined ? null : toRef(blocker),
    parked: { count: 0, first: [] },
    withdrawnBy: [],
    rollback: kind === 'rollback' ? { ...termsOfEvent(event), withdraws: null } : null,
    decisions: { count: 0, newest: [] },
  };
}

function rawOf(bytes: Buffer | null): EventTrace['raw'] {
  if (bytes === null) return null;
  const text = decodeUtf8(bytes);
  return text === null
    ? { value: bytes.toString('base64'), encoding: 'base64' }
    : { value: text, encoding: 'text' };
}

async function readHistory(
  client: PoolClient,
  schema: string,
  userId: string | null,
): Promise<readonly HistoryEntry[]> {
  return userId === null ? [] : ((await readHistories(client, schema, [userId])).get(userId) ?? []);
}

function isParkedBehind(eventId: string): (entry: HistoryEntry) => boolean {
  return ({ status, blockedBy }) => status === 'parked' && blockedBy === eventId;
}

function refTo(history: readonly HistoryEntry[], eventId: string | null): EventRef | null {
  const entry = history.find((each) => each.eventId === eventId);
  return entry === undefined ? null : toRef(entry);
}

function toRef({ eventId, operation, status, partition, offset, error }: HistoryEntry): EventRef {
  return { eventId, operation, status, partition, offset, code: error?.code ?? null };
}

function listOf(entries: readonly HistoryEntry[]): Parked {
  return { count: entries.length, first: entries.slice(0, FIRST).map(toRef) };
}

async function readWithdrawals(
  client: PoolClient,
  schema: string,
  history: readonly HistoryEntry[],
  eventId: string,
): Promise<readonly RollbackRef[]> {
  const rollbacks = history
    .filter(({ withdraws }) => withdraws?.includes(eventId) === true)
    .slice(-MOST_READ);
  if (rollbacks.length === 0) return [];
  const rows = await readEvents(
    client,
    schema,
    rollbacks.map((rollback) => rollback.eventId),
  );
  const standing = standingOf(history, isSkipped);
  return rollbacks.map((entry) => {
    const terms = termsOf(rows.get(entry.eventId));
    return {
      ...toRef(entry),
      timestamp: isoTime(entry.timestamp),
      isStanding: standing.has(entry.eventId) && !isSkipped(entry),
      mode: terms?.mode ?? null,
      operator: terms?.operator ?? null,
      reason: terms?.reason ?? null,
    };
  });
}

/** A rollback that this service skipped withdraws nothing here. */
function isSkipped({ status }: { readonly status: Status }): boolean {
  return status === 'skipped';
}

function rollbackOf(event: LedgerEvent, history: readonly HistoryEntry[]): TracedRollback | null {
  const terms = event.operation === 'rollback' ? termsOf(event) : null;
  if (terms === null) return null;
  if (event.withdraws === null) return { ...terms, withdraws: null };
  const listed = new Set(event.withdraws);
  return { ...terms, withdraws: listOf(history.filter(({ eventId }) => listed.has(eventId))) };
}

function termsOf(event: LedgerEvent | undefined): Omit<TracedRollback, 'withdraws'> | null {
  const value = event?.data ?? null;
  const terms = value === null ? null : readRollbackValue(value);
  return terms instanceof Unreadable ? null : terms;
}

function termsOfEvent({
  targets,
  mode,
  upTo,
  force,
  reason,
  operator,
  rules,
}: Extract<LogEvent, { kind: 'rollback' }>): Omit<TracedRollback, 'withdraws'> {
  return { targets, mode, upTo, force, reason, operator, rules };
}
