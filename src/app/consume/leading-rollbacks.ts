import type { LogEvent, RollbackEvent } from '../../domain/event.ts';

/** The rollbacks that events begin with and that can be decided together: of different users, under different ids. */
export function leadingRollbacks(events: readonly LogEvent[]): readonly RollbackEvent[] {
  const rollbacks: RollbackEvent[] = [];
  // One of a user and one of an id: the next one has to see what became of the first.
  const taken = new Set<string>();
  for (const event of events) {
    if (event.kind !== 'rollback' || taken.has(event.userId) || taken.has(event.eventId)) break;
    taken.add(event.userId).add(event.eventId);
    rollbacks.push(event);
  }
  return rollbacks;
}
