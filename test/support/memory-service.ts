import { settle } from '../../src/app/reconcile/settle.ts';
import { Suspects } from '../../src/app/consume/suspects.ts';
import type { ColumnMapper, EventError } from '../../src/domain/column-values.ts';
import type { CudEvent, LogEvent, RollbackEvent } from '../../src/domain/event.ts';
import { fold, PREDICT, type Decision, type Facts, type UserFacts } from '../../src/domain/fold.ts';
import { foldEach } from '../../src/domain/fold-each.ts';
import type { HistoryEntry } from '../../src/domain/history.ts';
import { planReconcile, type ReconcileOrders } from '../../src/domain/reconcile-plan.ts';
import { decideRollback } from '../../src/domain/rollback-decision.ts';
import type { UserWrite } from '../../src/domain/row-change.ts';
import { isDrifted } from './memory-drift.ts';
import { readMemoryFacts } from './memory-facts.ts';
import { MemoryLedger, type MemoryRow } from './memory-ledger.ts';

const REFUSED: EventError = { code: 'DATABASE_CONSTRAINT', message: 'refused' };
const DRIFT: EventError = { code: 'DRIFT', message: 'somebody changed the row' };
const CAUSE = { cause: 'consume', causedBy: null, operator: null, reason: null } as const;

/**
 * One service in memory: the pure domain, in the order in which the consumer and the reconciliation call it, on maps
 * instead of tables. What SQL verifies is verified here; what it executes is a few lines. No I/O, so that thousands of
 * histories fit into a test.
 */
export class MemoryService {
  readonly rows = new Map<string, MemoryRow>();
  readonly ledger = new MemoryLedger();
  /** The next offset to decide. */
  position = 0n;
  /** What the table refuses; it may change: a cause that is mended. */
  refuses: (row: MemoryRow) => boolean;
  /** How often a row was not set back, since somebody had changed it. */
  drifts = 0;
  readonly #mapper: ColumnMapper;

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
  decideAgain(kind: 'retry' | 'skip', eventId: string, force = false): void {
    const entry = this.ledger.find(eventId);
    if (entry?.status !== 'failed' || entry.event.userId === null) return;
    const error = this.#reconcile(entry.event.userId, { [kind]: new Set([eventId]) }, force);
    if (error !== null && entry.event.kind === 'rollback') entry.error = error;
  }

  /** Somebody else changes a user's row. */
  meddle(userId: string, change: (row: MemoryRow | null) => MemoryRow | null): void {
    const row = change(this.rows.get(userId) ?? null);
    if (row === null) this.rows.delete(userId);
    else this.rows.set(userId, row);
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
        for (const decision of folded.decisions)
          this.ledger.append({ ...decision, withdraws: null, beforeExists: null, image: null });
        this.#keepImages(folded.decisions, folded.writes);
        this.#execute(folded.writes);
        this.position = (portion[folded.taken - 1]?.offset ?? this.position) + 1n;
        return folded.taken;
      }
      if (!facts.areRead) facts = readMemoryFacts(this.ledger, this.rows, events);
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
    if (decisions.some(({ eventId }) => this.ledger.find(eventId) !== undefined)) return 'stale';
    for (const { userId, expects } of writes) {
      const exists = this.rows.has(userId);
      const isBlocked = this.ledger
        .entriesOf(userId)
        .some(({ status }) => status === 'failed' || status === 'parked');
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

  /** One image a user and batch, at the event that carries the write. */
  #keepImages(decisions: readonly Decision[], writes: readonly UserWrite[]): void {
    for (const { userId, at } of writes) {
      const decision = decisions[at];
      const entry = decision?.status === 'applied' ? this.ledger.find(decision.eventId) : undefined;
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
    if (this.ledger.find(event.eventId) !== undefined) return 1;
    const decision = decideRollback(this.ledger.history(event.userId), event);
    this.ledger.append({
      event,
      eventId: event.eventId,
      status: decision.isAccepted ? 'applied' : 'refused',
      blockedBy: null,
      error: decision.isAccepted ? null : { code: decision.code, message: decision.message },
      withdraws: decision.isAccepted ? decision.withdraws : null,
      beforeExists: null,
      image: null,
    });
    const error = decision.isAccepted ? this.#reconcile(event.userId, {}, event.force) : null;
    const entry = this.ledger.find(event.eventId);
    if (error !== null && entry !== undefined) Object.assign(entry, { status: 'failed', error });
    return 1;
  }

  /** The error where nothing was done: the row is not what the ledger says. */
  #reconcile(userId: string, orders: ReconcileOrders, force: boolean): EventError | null {
    const history = this.ledger.history(userId);
    const plan = planReconcile(history, orders);
    if (plan.rewindTo !== null) {
      const row = this.rows.get(userId) ?? null;
      if (!force && isDrifted(this.ledger, this.#mapper, userId, row)) {
        this.drifts++;
        return DRIFT;
      }
      this.#rewind(userId, plan.rewindTo);
    }
    const first = plan.steps[0]?.entry;
    const before = first === undefined ? history : history.slice(0, history.indexOf(first));
    const blockedBy = before.find(({ status }) => status === 'failed')?.eventId ?? null;
    const events = plan.steps.flatMap(({ kind, entry }) => {
      const event = this.ledger.find(entry.eventId)?.event;
      return kind === 'execute' && event?.kind === 'cud' ? [event] : [];
    });
    const decisions = this.#executeEvents(events, { exists: this.rows.has(userId), blockedBy });
    for (const { eventId, status, blockedBy: by, error } of settle(CAUSE, plan, decisions).labels) {
      const entry = this.ledger.find(eventId);
      if (entry === undefined) continue;
      Object.assign(entry, { status, blockedBy: by });
      if (error !== 'keep') entry.error = error;
      if (status !== 'applied') Object.assign(entry, { image: null, beforeExists: null });
    }
    return null;
  }

  #rewind(userId: string, { eventId }: HistoryEntry): void {
    const entry = this.ledger.find(eventId);
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
    const entry = this.ledger.find(eventId);
    if (entry === undefined) throw new Error(`${eventId} is executed again and not in the ledger`);
    Object.assign(entry, { status, blockedBy, error, image: null, beforeExists: null });
    decisions.set(eventId, decision);
  }
}
