import type { EventError } from '../../src/domain/column-values.ts';
import type { LogEvent, Status } from '../../src/domain/event.ts';
import { rollbackEntry, type HistoryEntry } from '../../src/domain/history.ts';

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

/** The ledger of a service in memory: its entries in log order, and by id and user. */
export class MemoryLedger {
  readonly entries: MemoryEntry[] = [];
  readonly #byId = new Map<string, MemoryEntry>();
  readonly #byUser = new Map<string, MemoryEntry[]>();

  append(entry: MemoryEntry): void {
    this.entries.push(entry);
    this.#byId.set(entry.eventId, entry);
    const { userId } = entry.event;
    if (userId !== null) this.#byUser.set(userId, [...this.entriesOf(userId), entry]);
  }

  find(eventId: string): MemoryEntry | undefined {
    return this.#byId.get(eventId);
  }

  entriesOf(userId: string): readonly MemoryEntry[] {
    return this.#byUser.get(userId) ?? [];
  }

  get users(): readonly string[] {
    return [...this.#byUser.keys()];
  }

  /** The history of a user, as the ledger in PostgreSQL gives it. */
  history(userId: string): HistoryEntry[] {
    return this.entriesOf(userId).map((entry) => toHistory(entry));
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
export function orphans(ledger: MemoryLedger): readonly string[] {
  return ledger.users.flatMap((userId) => {
    const entries = ledger.entriesOf(userId);
    return entries.flatMap(({ eventId, status, blockedBy }, index) => {
      const isHeld = entries
        .slice(0, index)
        .some((entry) => entry.status === 'failed' && entry.eventId === blockedBy);
      return status === 'parked' && !isHeld ? [eventId] : [];
    });
  });
}

/** Events of a user that are failed, parked or skipped: for such a user two services may differ. */
export function isHeldUp(ledger: MemoryLedger, userId: string): boolean {
  return ledger.history(userId).some(({ status }) => ['failed', 'parked', 'skipped'].includes(status));
}
