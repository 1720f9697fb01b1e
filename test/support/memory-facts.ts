import type { LogEvent } from '../../src/domain/event.ts';
import type { Facts, UserFacts } from '../../src/domain/fold.ts';
import { keptText, operationOf } from '../../src/domain/sameness.ts';
import type { MemoryLedger, MemoryRow } from './memory-ledger.ts';

/** What postgres/sql/read-facts reads of a batch's users and ids, from maps. */
export function readMemoryFacts(
  ledger: MemoryLedger,
  rows: ReadonlyMap<string, MemoryRow>,
  events: readonly LogEvent[],
): Facts {
  const users = new Map<string, UserFacts>();
  for (const { userId } of events) {
    if (userId === null) continue;
    const blockedBy = ledger.entriesOf(userId).find(({ status }) => status === 'failed')?.eventId ?? null;
    users.set(userId, { exists: rows.has(userId), blockedBy });
  }
  const known = events.flatMap(({ eventId }) => {
    const entry = ledger.find(eventId);
    if (entry === undefined) return [];
    const { event } = entry;
    return [
      [eventId, { userId: event.userId, operation: operationOf(event), data: keptText(event) }],
    ] as const;
  });
  return { areRead: true, users, events: new Map(known) };
}
