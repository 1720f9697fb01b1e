import type { EventError } from './column-values.ts';
import type { JsonObject, Operation, Status } from './event.ts';

/** One event of one user as this service's ledger has it. A history is all of a user's, by (generation, offset). */
export interface HistoryEntry {
  readonly eventId: string;
  readonly partition: number;
  readonly offset: bigint;
  /** ms since the epoch. */
  readonly timestamp: number;
  /** Null: it cannot be read, is ignored, or its id was another event's. Such an entry counts for no decision. */
  readonly operation: Operation | null;
  readonly status: Status;
  /** The event's fields without `userId`; null where they were pruned or cannot be read. */
  readonly fields: JsonObject | null;
  /** What an accepted rollback withdraws; null for all else. */
  readonly withdraws: readonly string[] | null;
  /** True = a before image says that the row existed, false = that it did not, null = none was kept. */
  readonly beforeExists: boolean | null;
  /** False where the image was pruned. */
  readonly hasImage: boolean;
  readonly blockedBy: string | null;
  /** Why it failed, if it did; kept when it is withdrawn or skipped. */
  readonly error: EventError | null;
}

/** What a decision on a rollback looks at, by existence alone (DESIGN 5): the same in every service. */
export type ExistingEntry = Pick<HistoryEntry, 'eventId' | 'partition' | 'operation' | 'withdraws'>;

export function isCud(entry: ExistingEntry): boolean {
  return entry.operation !== null && entry.operation !== 'rollback';
}

/**
 * What stands: every entry that no standing, accepted rollback lists (DESIGN 5). Computed newest first, since a list
 * names earlier entries only. `passOver` names rollbacks that this service skipped: they withdraw nothing here.
 */
export function standingOf<Entry extends ExistingEntry>(
  history: readonly Entry[],
  passOver: (entry: Entry) => boolean = () => false,
): ReadonlySet<string> {
  const withdrawn = new Set<string>();
  const standing = new Set<string>();
  for (let index = history.length - 1; index >= 0; index--) {
    const entry = history[index];
    if (entry === undefined || withdrawn.has(entry.eventId)) continue;
    standing.add(entry.eventId);
    if (entry.withdraws !== null && !passOver(entry)) for (const id of entry.withdraws) withdrawn.add(id);
  }
  return standing;
}

/**
 * Puts every rollback behind what it lists. In a log whose partitions never grew that is the order already; after growth
 * a rollback may lie in an older partition than an event that it withdraws, and (generation, offset) would sort it first.
 */
export function inDecisionOrder<Entry extends ExistingEntry>(history: readonly Entry[]): readonly Entry[] {
  // Most histories have no rollback.
  if (!history.some(({ withdraws }) => withdraws !== null)) return history;
  const places = new Map(history.map(({ eventId }, index) => [eventId, index]));
  const isMisplaced = ({ withdraws }: Entry, index: number): boolean =>
    withdraws?.some((id) => (places.get(id) ?? -1) > index) ?? false;
  const first = history.findIndex(isMisplaced);
  const entry = history[first];
  if (entry === undefined) return history;
  const last = Math.max(...(entry.withdraws ?? []).map((id) => places.get(id) ?? -1));
  const moved = [
    ...history.slice(0, first),
    ...history.slice(first + 1, last + 1),
    entry,
    ...history.slice(last + 1),
  ];
  return inDecisionOrder(moved);
}

/** A rollback that is about to be decided or planned: nothing but its id, place and list counts. */
export function rollbackEntry(
  own: Pick<HistoryEntry, 'eventId' | 'partition' | 'offset' | 'timestamp' | 'withdraws'>,
): HistoryEntry {
  const { eventId, partition, offset, timestamp, withdraws } = own;
  return {
    eventId,
    partition,
    offset,
    timestamp,
    operation: 'rollback',
    status: 'applied',
    fields: null,
    withdraws,
    beforeExists: null,
    hasImage: false,
    blockedBy: null,
    error: null,
  };
}
