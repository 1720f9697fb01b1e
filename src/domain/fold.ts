import { isEventError, type ColumnMapper, type EventError } from './column-values.ts';
import type { CudEvent, IgnoredEvent, LogEvent, Rules, Status, UnreadableEvent } from './event.ts';
import { RowChange, type UserWrite } from './row-change.ts';
import { identify, type KnownEvent } from './sameness.ts';

/** What the database says of a user before a batch. */
export interface UserFacts {
  readonly exists: boolean;
  /** The user's earliest failed event, while there is one. */
  readonly blockedBy: string | null;
}

/** Facts read from the database. A user or event that is missing was not asked for, or is not there: see `areRead`. */
export interface Facts {
  /** False: nothing was read, so the fold predicts what the rules want (BATCH.md, 1). */
  readonly areRead: boolean;
  readonly users: ReadonlyMap<string, UserFacts>;
  readonly events: ReadonlyMap<string, KnownEvent>;
}

export const PREDICT: Facts = { areRead: false, users: new Map(), events: new Map() };

/** The fold's word on one event. */
export interface Decision {
  readonly event: Exclude<LogEvent, { kind: 'rollback' }>;
  /** The ledger's id: the event's own, or for a reused id one derived from its place. */
  readonly eventId: string;
  readonly status: Extract<Status, 'applied' | 'failed' | 'parked' | 'skipped'>;
  readonly blockedBy: string | null;
  readonly error: EventError | null;
}

export interface FoldInput {
  /** Events in log order. The fold stops before the first rollback: it is decided on its own. */
  readonly events: readonly LogEvent[];
  readonly facts: Facts;
  readonly rules: Rules;
  readonly mapper: ColumnMapper;
  /** Events that the database has refused, standing alone: they are failed with this error. */
  readonly refused: ReadonlyMap<string, EventError>;
  /** An id derived from the record's place, for an event whose own id is taken. */
  readonly deriveId: (event: LogEvent) => string;
}

export interface FoldResult {
  readonly decisions: readonly Decision[];
  /** One for every user who was not blocked when the batch began, at `decisions[write.at]`. */
  readonly writes: readonly UserWrite[];
  /** Events that the ledger has already, unchanged: no decision, no effect. */
  readonly duplicates: number;
  /** How many of the events were taken; the rest begins a new batch. */
  readonly taken: number;
  /** What holds of each user after the batch, where it is known: the facts for whatever follows it. */
  readonly after: ReadonlyMap<string, UserFacts>;
}

/** One user while a batch is folded. */
interface UserState {
  exists: boolean | null;
  blockedBy: string | null;
  /** Null for a user who was blocked before the batch: nothing is verified and nothing written. */
  readonly change: RowChange | null;
}

/**
 * THE fold: events of one partition in order, and facts (read or predicted) → a status per event and one write per
 * user. Pure and synchronous; rows never come here. Whatever it assumes is verified by the batch statement (DESIGN 4).
 */
export function fold(input: FoldInput): FoldResult {
  const users = new Map<string, UserState>();
  const seen = new Map<string, LogEvent>();
  const decisions: Decision[] = [];
  let duplicates = 0;
  let taken = 0;
  for (const event of input.events) {
    if (event.kind === 'rollback') break;
    const identity = identify(event, input.facts.events, seen);
    if (identity === 'duplicate') {
      duplicates++;
      taken++;
      continue;
    }
    const decision =
      identity === 'reused'
        ? decideReused(event, input, users, decisions.length)
        : decide(event, input, users, decisions.length);
    if (decision === 'new batch') break;
    if (identity === 'new') seen.set(event.eventId, event);
    decisions.push(decision);
    taken++;
  }
  const writes: UserWrite[] = [];
  const after = new Map<string, UserFacts>();
  for (const [userId, state] of users) {
    if (state.change !== null) writes.push(state.change.toWrite(userId));
    if (state.exists !== null) after.set(userId, { exists: state.exists, blockedBy: state.blockedBy });
  }
  return { decisions, writes, duplicates, taken, after };
}

type Foldable = CudEvent | UnreadableEvent | IgnoredEvent;

function decide(
  event: Foldable,
  input: FoldInput,
  users: Map<string, UserState>,
  at: number,
): Decision | 'new batch' {
  if (event.kind === 'ignored') return decided(event, 'skipped');
  if (event.kind === 'unreadable') {
    return failEvent(event, { code: event.code, message: event.reason }, event.userId, input, users, at);
  }
  const state = stateOf(event.userId, input, users, at);
  if (state.blockedBy !== null) return decided(event, 'parked', state.blockedBy);
  const refused = input.refused.get(event.eventId);
  if (refused !== undefined) return block(event, refused, state);
  const outcome = execute(event, state, input);
  if (outcome === 'new batch') return outcome;
  if (outcome !== null) return block(event, outcome, state);
  state.change?.place(at);
  return decided(event, 'applied');
}

/** Executes one event on the user's pending change. Null = applied; an error = failed by the rules. */
function execute(event: CudEvent, state: UserState, input: FoldInput): EventError | null | 'new batch' {
  const { change } = state;
  if (change === null) return null;
  const isStrict = input.rules === 'strict';
  if (state.exists === null && isStrict && event.operation !== 'put') {
    state.exists = event.operation !== 'create';
    change.expect(state.exists);
  }
  switch (event.operation) {
    case 'create':
      if (isStrict && state.exists === true) return ruleError('USER_EXISTS', event);
      return put(event, state, change, input);
    case 'put':
      return put(event, state, change, input);
    case 'update': {
      if (state.exists === false) return isStrict ? ruleError('USER_NOT_FOUND', event) : null;
      const values = input.mapper.map(event.fields);
      if (isEventError(values)) return values;
      change.update(values, event.timestamp);
      return null;
    }
    case 'delete':
      if (state.exists === false) return isStrict ? ruleError('USER_NOT_FOUND', event) : null;
      change.delete(event.timestamp);
      state.exists = false;
      return null;
  }
}

function put(
  event: CudEvent,
  state: UserState,
  change: RowChange,
  input: FoldInput,
): EventError | null | 'new batch' {
  if (!change.canPut(state.exists)) return 'new batch';
  const values = input.mapper.map(event.fields);
  if (isEventError(values)) return values;
  change.put(values, event.timestamp, state.exists);
  state.exists = true;
  return null;
}

function stateOf(userId: string, input: FoldInput, users: Map<string, UserState>, at: number): UserState {
  let state = users.get(userId);
  if (state === undefined) {
    const facts = input.facts.users.get(userId);
    const exists = facts === undefined ? (input.facts.areRead ? false : null) : facts.exists;
    const blockedBy = facts?.blockedBy ?? null;
    const change = blockedBy === null ? new RowChange(at, exists) : null;
    state = { exists, blockedBy, change };
    users.set(userId, state);
  }
  return state;
}

function failEvent(
  event: Foldable,
  error: EventError,
  userId: string | null,
  input: FoldInput,
  users: Map<string, UserState>,
  at: number,
  eventId = event.eventId,
): Decision {
  if (userId !== null) {
    const state = stateOf(userId, input, users, at);
    state.blockedBy ??= eventId;
  }
  return { event, eventId, status: 'failed', blockedBy: null, error };
}

function block(event: Foldable, error: EventError, state: UserState): Decision {
  state.blockedBy = event.eventId;
  return { event, eventId: event.eventId, status: 'failed', blockedBy: null, error };
}

function decided(event: Foldable, status: Decision['status'], blockedBy: string | null = null): Decision {
  return { event, eventId: event.eventId, status, blockedBy, error: null };
}

/** The same id for something else (DESIGN 3): failed, under an id of its own, never called a duplicate. */
function decideReused(
  event: Foldable,
  input: FoldInput,
  users: Map<string, UserState>,
  at: number,
): Decision {
  const eventId = input.deriveId(event);
  const message = `Another event has the id ${event.ceId ?? event.eventId} already`;
  return failEvent(event, { code: 'EVENT_ID_REUSED', message }, event.userId, input, users, at, eventId);
}

function ruleError(code: 'USER_EXISTS' | 'USER_NOT_FOUND', event: CudEvent): EventError {
  const what = code === 'USER_EXISTS' ? 'exists already' : 'does not exist';
  return {
    code,
    message: `The user ${JSON.stringify(event.userId)} ${what}, so ${event.operation} cannot be executed`,
  };
}
