import type { LogEvent } from './event.ts';
import { inDecisionOrder, rollbackEntry, type ExistingEntry, type HistoryEntry } from './history.ts';
import { decideRollback } from './rollback-decision.ts';

/**
 * A user's history as it will be when this service has read what lies ahead of it in the log: what is published now is
 * decided behind that. Rollbacks are decided as every service will (DESIGN 5); an event that is ahead has status
 * `parked` for want of a decision, which no decision looks at. Ids that the history has already are passed over. Pure.
 */
export function withPending<Entry extends ExistingEntry>(
  history: readonly Entry[],
  pending: readonly LogEvent[],
): readonly (Entry | HistoryEntry)[] {
  if (pending.length === 0) return history;
  let all: readonly (Entry | HistoryEntry)[] = history;
  const known = new Set(history.map(({ eventId }) => eventId));
  for (const event of pending) {
    if (known.has(event.eventId)) continue;
    known.add(event.eventId);
    all = inDecisionOrder([...all, entryOf(all, event)]);
  }
  return all;
}

/** The accepted rollbacks among what is ahead, with their lists. */
export function pendingRollbacks(
  history: readonly HistoryEntry[],
  pending: readonly LogEvent[],
): readonly HistoryEntry[] {
  const known = new Set(history.map(({ eventId }) => eventId));
  return withPending(history, pending).filter(
    ({ eventId, withdraws }) => withdraws !== null && !known.has(eventId),
  );
}

function entryOf(before: readonly ExistingEntry[], event: LogEvent): HistoryEntry {
  const { eventId, partition, offset, timestamp } = event;
  const place = { eventId, partition, offset, timestamp };
  if (event.kind === 'rollback') {
    const decision = decideRollback(before, event);
    return rollbackEntry({ ...place, withdraws: decision.isAccepted ? decision.withdraws : null });
  }
  const isCud = event.kind === 'cud';
  return {
    ...rollbackEntry({ ...place, withdraws: null }),
    operation: isCud ? event.operation : null,
    status: 'parked',
    fields: isCud ? event.fields : null,
  };
}
