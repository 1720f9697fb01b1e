import { settle } from '../../src/app/reconcile/settle.ts';
import { Suspects } from '../../src/app/consume/suspects.ts';
import type { ColumnMapper, EventError } from '../../src/domain/column-values.ts';
import type { CudEvent, LogEvent, RollbackEvent, Status } from '../../src/domain/event.ts';
import { fold, PREDICT, type Decision, type Facts, type UserFacts } from '../../src/domain/fold.ts';
import { foldEach } from '../../src/domain/fold-each.ts';
import { isCud, rollbackEntry, type HistoryEntry } from '../../src/domain/history.ts';
import { planReconcile, type ReconcileOrders } from '../../src/domain/reconcile-plan.ts';
import { decideRollback } from '../../src/domain/rollback-decision.ts';
import type { UserWrite } from '../../src/domain/row-change.ts';
import { keptText, operationOf } from '../../src/domain/sameness.ts';

/** Column → text, as the database would have it. */
export type MemoryRow = Readonly<Record<string, string | null>>;

export interface MemoryEntry {
  readonly event: LogEvent;
  readonly eventId: string;
  status: Status;
  blockedBy: string | null;
  error: EventError | null;
  withdraws: readonly string[] | null;
  beforeExists: boolean | null;
  image: MemoryRow | null;
}

const REFUSED: EventError = { code: 'DATABASE_CONSTRAINT', message: 'refused' };
const CAUSE = { cause: 'consume', causedBy: null, operator: null, reason: null } as const;

/**
 * One service in memory: the pure domain, in the order in which the consumer and the reconciliation call it, on maps
 * instead of tables. What SQL verifies is verified here; what it executes is a few lines. No I/O, so that thousands of
 * histories fit into a test.
 */
export class MemoryService {
  readonly rows = new Map<string, MemoryRow>();
  readonly ledger: MemoryEntry[] = [];
  /** The next offset to decide. */
  position = 0n;
  /** What the table refuses; it may change: a cause that is mended. */
  refuses: (row: MemoryRow) => boolean;
  readonly #mapper: ColumnMapper;
  readonly #byId = new Map<string, MemoryEntry>();
  readonly #byUser = new Map<string, MemoryEntry[]>();

  constructor(mapper: ColumnMapper, refuses: (row: MemoryRow) => boolean) {
    this.#mapper = mapper;
    this.refuses = refuses;
  }

  /** A delivery of consecutive records: what lies below the position was decided before. */
  consume(delivered: readonly LogEvent[]): void {
    let rest = delivered.filter(({ offset }) => offset >= this.position);
    while (rest.length > 0) {
      const [first] = rest;
      const taken = first?.kind === 'rollback' ? this.#rollBack(first) : this.#applyBatch(rest);
      rest = rest.slice(taken);
    }
  }

  /** Executes a failed event again, or passes over it; any other is left alone, as the commands do. */
  decideAgain(kind: 'retry' | 'skip', eventId: string): void {
    const entry = this.#byId.get(eventId);
    if (entry?.status !== 'failed' || entry.event.userId === null) return;
    this.#reconcile(entry.event.userId, { [kind]: new Set([eventId]) });
  }

  /** The history of a user, as the ledger gives it. */
  history(userId: string): HistoryEntry[] {
    return this.entriesOf(userId).map((entry) => toHistory(entry));
  }

  entriesOf(userId: string): readonly MemoryEntry[] {
    return this.#byUser.get(userId) ?? [];
  }

  get users(): readonly string[] {
    return [...this.#byUser.keys()];
  }

  #applyBatch(events: readonly LogEvent[]): number {
    const suspects = new Suspects(events.length);
    let facts: Facts = PREDICT;
    for (;;) {
      const portion = events.slice(0, suspects.most);
      const input = { ...this.#foldInput(portion, facts), refused: suspects.guilty };
      const folded = fold(input);
      const outcome = this.#write(folded.decisions, folded.writes);
      if (outcome === 'done') {
        for (const decision of folded.decisions) this.#insert(decision);
        this.#keepImages(folded.decisions, folded.writes);
        this.#execute(folded.writes);
        this.position = (portion[folded.taken - 1]?.offset ?? this.position) + 1n;
        return folded.taken;
      }
      if (!facts.areRead) facts = this.#facts(events);
      else if (outcome === 'stale') throw new Error('stale although the facts were read');
      else if (suspects.isProbeDue(folded.taken))
        suspects.accuse(this.#probe(portion.slice(0, folded.taken), facts));
      else suspects.narrow('refused', REFUSED, folded.decisions, folded.taken);
    }
  }

  #foldInput(events: readonly LogEvent[], facts: Facts) {
    const deriveId = ({ offset }: LogEvent): string => `at-${offset.toString()}`;
    return { events, facts, rules: 'strict' as const, mapper: this.#mapper, deriveId };
  }

  #probe(events: readonly LogEvent[], facts: Facts): ReadonlyMap<string, EventError> {
    const rows = new Map(this.rows);
    const refused = new Map<string, EventError>();
    const input = { ...this.#foldInput(events, facts), refused: new Map<string, EventError>() };
    for (const { event, write } of foldEach(input)) {
      const row = this.#after(rows.get(write.userId) ?? null, write);
      if (row !== null && this.refuses(row)) refused.set(event.eventId, REFUSED);
      else if (row === null) rows.delete(write.userId);
      else rows.set(write.userId, row);
    }
    return refused;
  }

  /** What the batch statement verifies. Changes nothing. */
  #write(decisions: readonly Decision[], writes: readonly UserWrite[]): 'done' | 'stale' | 'refused' {
    if (decisions.some(({ eventId }) => this.#byId.has(eventId))) return 'stale';
    for (const { userId, expects } of writes) {
      const exists = this.rows.has(userId);
      const isBlocked = this.entriesOf(userId).some(
        ({ status }) => status === 'failed' || status === 'parked',
      );
      if ((expects !== null && expects !== exists) || isBlocked) return 'stale';
    }
    return this.#isRefused(writes) ? 'refused' : 'done';
  }

  #isRefused(writes: readonly UserWrite[]): boolean {
    return writes.some((write) => {
      if (write.action === 'none' || write.action === 'delete') return false;
      const row = this.#after(this.rows.get(write.userId) ?? null, write);
      return row !== null && this.refuses(row);
    });
  }

  #facts(events: readonly LogEvent[]): Facts {
    const users = new Map<string, UserFacts>();
    for (const { userId } of events) {
      if (userId === null) continue;
      const blockedBy = this.entriesOf(userId).find(({ status }) => status === 'failed')?.eventId ?? null;
      users.set(userId, { exists: this.rows.has(userId), blockedBy });
    }
    const known = events.flatMap(({ eventId }) => {
      const entry = this.#byId.get(eventId);
      if (entry === undefined) return [];
      const { event } = entry;
      return [
        [eventId, { userId: event.userId, operation: operationOf(event), data: keptText(event) }],
      ] as const;
    });
    return { areRead: true, users, events: new Map(known) };
  }

  #insert(decision: Pick<Decision, 'event' | 'eventId' | 'status' | 'blockedBy' | 'error'>): MemoryEntry {
    return this.#append({ ...decision, withdraws: null, beforeExists: null, image: null });
  }

  #append(entry: MemoryEntry): MemoryEntry {
    this.ledger.push(entry);
    this.#byId.set(entry.eventId, entry);
    const { userId } = entry.event;
    if (userId !== null) this.#byUser.set(userId, [...this.entriesOf(userId), entry]);
    return entry;
  }

  /** One image a user and batch, at the event that carries the write. */
  #keepImages(decisions: readonly Decision[], writes: readonly UserWrite[]): void {
    for (const { userId, at } of writes) {
      const decision = decisions[at];
      const entry = decision?.status === 'applied' ? this.#byId.get(decision.eventId) : undefined;
      if (entry === undefined) continue;
      entry.image = this.rows.get(userId) ?? null;
      entry.beforeExists = entry.image !== null;
    }
  }

  #execute(writes: readonly UserWrite[]): void {
    for (const write of writes) {
      const row = this.#after(this.rows.get(write.userId) ?? null, write);
      if (row === null) this.rows.delete(write.userId);
      else this.rows.set(write.userId, row);
    }
  }

  #after(row: MemoryRow | null, { action, texts }: UserWrite): MemoryRow | null {
    if (action === 'none') return row;
    if (action === 'delete') return null;
    const carried = this.#mapper.table.columns.flatMap(({ name }, index) => {
      const text = texts[index];
      return text === undefined ? [] : [[name, text] as const];
    });
    return { ...row, ...Object.fromEntries(carried) };
  }

  #rollBack(event: RollbackEvent): number {
    this.position = event.offset + 1n;
    if (this.#byId.has(event.eventId)) return 1;
    const decision = decideRollback(this.history(event.userId), event);
    this.#append({
      event,
      eventId: event.eventId,
      status: decision.isAccepted ? 'applied' : 'refused',
      blockedBy: null,
      error: decision.isAccepted ? null : { code: decision.code, message: decision.message },
      withdraws: decision.isAccepted ? decision.withdraws : null,
      beforeExists: null,
      image: null,
    });
    if (decision.isAccepted) this.#reconcile(event.userId, {});
    return 1;
  }

  #reconcile(userId: string, orders: ReconcileOrders): void {
    const history = this.history(userId);
    const plan = planReconcile(history, orders);
    if (plan.rewindTo !== null) this.#rewind(userId, plan.rewindTo);
    const first = plan.steps[0]?.entry;
    const before = first === undefined ? history : history.slice(0, history.indexOf(first));
    const blockedBy = before.find(({ status }) => status === 'failed')?.eventId ?? null;
    const events = plan.steps.flatMap(({ kind, entry }) => {
      const event = this.#byId.get(entry.eventId)?.event;
      return kind === 'execute' && event?.kind === 'cud' ? [event] : [];
    });
    const decisions = this.#executeEvents(events, { exists: this.rows.has(userId), blockedBy });
    for (const { eventId, status, blockedBy: by, error } of settle(CAUSE, plan, decisions).labels) {
      const entry = this.#byId.get(eventId);
      if (entry === undefined) continue;
      Object.assign(entry, { status, blockedBy: by });
      if (error !== 'keep') entry.error = error;
      if (status !== 'applied') Object.assign(entry, { image: null, beforeExists: null });
    }
  }

  #rewind(userId: string, { eventId }: HistoryEntry): void {
    const entry = this.#byId.get(eventId);
    if (entry?.beforeExists === false) this.rows.delete(userId);
    else if (entry?.image != null) this.rows.set(userId, entry.image);
    else throw new Error(`no image is kept of ${eventId}`);
  }

  /** All in one, where the table refuses by halves down to the event that it refuses (app/reconcile/execute-events). */
  #executeEvents(events: readonly CudEvent[], before: UserFacts): ReadonlyMap<string, Decision> {
    const decisions = new Map<string, Decision>();
    let facts = before;
    let rest = events;
    let most = events.length;
    let refused = new Map<string, EventError>();
    while (rest.length > 0) {
      const portion = rest.slice(0, most);
      const users = new Map(portion.map(({ userId }) => [userId, facts]));
      const input = { ...this.#foldInput(portion, { areRead: true, users, events: new Map() }), refused };
      const folded = fold(input);
      if (this.#isRefused(folded.writes)) {
        const [alone] = portion;
        if (portion.length === 1 && alone !== undefined) refused = new Map([[alone.eventId, REFUSED]]);
        else most = Math.ceil(portion.length / 2);
        continue;
      }
      for (const decision of folded.decisions) this.#decide(decision, decisions);
      this.#keepImages(folded.decisions, folded.writes);
      this.#execute(folded.writes);
      for (const after of folded.after.values()) facts = after;
      rest = rest.slice(folded.taken);
      most = rest.length;
      refused = new Map();
    }
    return decisions;
  }

  #decide(decision: Decision, decisions: Map<string, Decision>): void {
    const { eventId, status, blockedBy, error } = decision;
    const entry = this.#byId.get(eventId);
    if (entry === undefined) throw new Error(`${eventId} is executed again and not in the ledger`);
    Object.assign(entry, { status, blockedBy, error, image: null, beforeExists: null });
    decisions.set(eventId, decision);
  }
}

function toHistory(entry: MemoryEntry): HistoryEntry {
  const { event, eventId, status, withdraws, beforeExists, image, blockedBy, error } = entry;
  const { partition, offset, timestamp } = event;
  const base = rollbackEntry({ eventId, partition, offset, timestamp, withdraws });
  const fields = event.kind === 'cud' ? event.fields : null;
  // An id that was another's counts as unreadable.
  const isReused = error?.code === 'EVENT_ID_REUSED';
  const operation = event.kind === 'cud' || event.kind === 'rollback' ? event.operation : null;
  return {
    ...base,
    operation: isReused ? null : operation,
    status,
    fields,
    beforeExists,
    hasImage: image !== null,
    blockedBy,
    error,
  };
}

/** Parked events whose failed event is not there (any more). */
export function orphans(service: MemoryService): readonly string[] {
  return service.users.flatMap((userId) => {
    const entries = service.entriesOf(userId);
    return entries.flatMap(({ eventId, status, blockedBy }, index) => {
      const isHeld = entries
        .slice(0, index)
        .some((entry) => entry.status === 'failed' && entry.eventId === blockedBy);
      return status === 'parked' && !isHeld ? [eventId] : [];
    });
  });
}

/** Events of a user that are failed, parked or skipped: for such a user two services may differ. */
export function isHeldUp(service: MemoryService, userId: string): boolean {
  return service
    .history(userId)
    .some((entry) => isCud(entry) && ['failed', 'parked', 'skipped'].includes(entry.status));
}
