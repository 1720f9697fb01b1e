import type { LogEvent } from '../../domain/event.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import { readEvents } from '../../postgres/sql/read-event.ts';
import { readPositions } from '../../postgres/sql/positions.ts';
import { readBinding } from '../../postgres/sql/read-binding.ts';
import { inTransaction } from '../../postgres/transaction.ts';
import { requireBoundTopic } from '../bound-topic.ts';
import { envelopeContext, findKeyType } from '../envelope-context.ts';
import { toPending, type PendingEvent } from '../log/pending-event.ts';
import { findInLedger, findInLog } from '../trace/find-event.ts';
import { askEach, type AskedService } from './ask-each.ts';

/** An event, by any of its names, whose user is asked about. */
export interface WantedEvent {
  readonly event: string;
  readonly source: string;
  /** Search the logs for what no ledger has. */
  readonly isSearched: boolean;
}

export interface FoundUser {
  readonly userId: string;
  readonly eventId: string;
  /** The event as a log has it, where no ledger does; null otherwise. */
  readonly unread: PendingEvent | null;
}

export interface SearchOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

/**
 * Whose event it is, by the services' ledgers; what none of them has read is searched for in their logs, one after the
 * other. Null where nobody knows it. USAGE for one without a user.
 */
export async function findUser(
  services: readonly AskedService[],
  wanted: WantedEvent,
  options: SearchOptions,
): Promise<FoundUser | null> {
  const found = await askEach(services, async ({ database }) => {
    const { pool, schema } = await database();
    await readBinding(pool, schema);
    return inTransaction(pool, 'repeatable read', async (client) => {
      const id = await findInLedger(client, schema, { id: wanted.event, source: wanted.source });
      return id === null ? null : ((await readEvents(client, schema, [id])).get(id) ?? null);
    });
  });
  const event = found.find(({ value }) => value !== null)?.value ?? null;
  if (event !== null) return { userId: userOf(event), eventId: event.eventId, unread: null };
  if (!wanted.isSearched) return null;
  for (const service of services) {
    const [answer] = await askEach([service], (one) => findUnread(one, wanted.event, options));
    const unread = answer?.value ?? null;
    if (unread !== null)
      return { userId: userOf(unread), eventId: unread.eventId, unread: toPending(unread) };
  }
  return null;
}

async function findUnread(
  service: AskedService,
  id: string,
  { signal, onProgress }: SearchOptions,
): Promise<LogEvent | null> {
  const database = await service.database();
  const positions = await readPositions(database.pool, database.schema);
  const log = await service.log();
  const description = await log.describe();
  await requireBoundTopic(database, description.topic);
  const envelope = envelopeContext(description, (await findKeyType(database)) ?? 'text', service.types);
  return (await findInLog(id, { log, envelope, positions, signal, onProgress }))?.event ?? null;
}

function userOf({ userId, eventId }: { readonly userId: string | null; readonly eventId: string }): string {
  if (userId !== null) return userId;
  throw new UserEventsError('USAGE', `Event ${eventId} has no user: there is nothing to compare`, {
    hint: `\`user-events trace ${eventId} --profile NAME\` tells it for one service.`,
  });
}
