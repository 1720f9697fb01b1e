import { pendingRollbacks } from '../../domain/pending.ts';
import type { EventLog } from '../../log/event-log.ts';
import { readHistories } from '../../postgres/sql/read-history.ts';
import type { Database } from '../../postgres/transaction.ts';
import type { TypeSettings } from '../envelope-context.ts';
import { toPending, type PendingEvent } from '../log/pending-event.ts';
import { tryReadAhead } from '../log/read-pending.ts';
import type { StoryContext } from './story-context.ts';

interface UnderWayRequest {
  readonly openLog: () => Promise<EventLog>;
  readonly types: TypeSettings;
  readonly signal: AbortSignal;
}

/** The rollbacks of an event that are in the log and not executed here yet; none where the log cannot be read. */
export async function readUnderWay(
  database: Database,
  { mapper }: StoryContext,
  {
    eventId,
    userId,
    partition,
  }: { readonly eventId: string; readonly userId: string | null; readonly partition: number },
  { openLog, types, signal }: UnderWayRequest,
): Promise<readonly PendingEvent[]> {
  if (userId === null) return [];
  const users = new Map([[userId, [partition]]]);
  const keyType = mapper?.table.keyType ?? 'text';
  const ahead =
    (await tryReadAhead(database, openLog, { users: () => users, keyType, types, signal })).byUser.get(
      userId,
    ) ?? [];
  if (ahead.length === 0) return [];
  const history = (await readHistories(database.pool, database.schema, [userId])).get(userId) ?? [];
  const listing = new Set(
    pendingRollbacks(history, ahead)
      .filter(({ withdraws }) => withdraws?.includes(eventId) === true)
      .map((entry) => entry.eventId),
  );
  return ahead.filter((event) => listing.has(event.eventId)).map(toPending);
}
