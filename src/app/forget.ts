import { ledgerRow } from '../domain/expected-row.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import type { EventLog } from '../log/event-log.ts';
import { raiseRevisions } from '../postgres/sql/positions.ts';
import { pruneEvents, readBases } from '../postgres/sql/prune-events.ts';
import { readLastEntry, readOffsets, type LastEntry } from '../postgres/sql/read-offsets.ts';
import { readHistories } from '../postgres/sql/read-history.ts';
import { readRows } from '../postgres/sql/read-rows.ts';
import { recordAttempts } from '../postgres/sql/relabel.ts';
import { inTransaction, limitIdling, type Database, type PoolClient } from '../postgres/transaction.ts';
import { requireBoundTopic } from './bound-topic.ts';
import type { Ledger } from './consume/open-group.ts';

export interface ForgetRequest {
  readonly userId: string;
  readonly operator: string;
  /** Say what would be emptied, and empty nothing. */
  readonly isDryRun: boolean;
}

/** A user's records that the log still has in one partition. */
export interface LogRemains {
  readonly partition: number;
  readonly offsets: readonly bigint[];
}

export interface ForgetResult {
  readonly userId: string;
  readonly isDryRun: boolean;
  /** Events of the ledger that were emptied. */
  readonly events: number;
  readonly topic: string;
  /** What still lies in the log: until its retention deletes it, nobody can take it out. */
  readonly remains: readonly LogRemains[];
}

/**
 * Empties all that this service's ledger holds of one user's personal data, whatever its age: data, images, errors' words
 * and reasons. Id, offset, user id, operation and status stay, so that replays and decisions stay right. The user must be
 * gone from the table, by an event, and nothing of theirs failed or parked: FORGET_REFUSED. EVENT_NOT_FOUND where the
 * ledger has no event of the user.
 */
export async function forget(
  log: EventLog,
  database: Database,
  ledger: Ledger,
  { userId, operator, isDryRun }: ForgetRequest,
): Promise<ForgetResult> {
  const { pool, schema } = database;
  const { topic } = await log.describe();
  await requireBoundTopic(database, topic);
  const lows = new Map((await log.watermarks()).map(({ partition, low }) => [partition, low]));
  const events = await inTransaction(pool, 'read committed', async (client) => {
    await limitIdling(client);
    await raiseRevisions(client, schema, 'all');
    const last = await requireForgettable(client, ledger, userId);
    if (isDryRun) return last.kept;
    const base = { exists: false, changes: {}, extra: {} };
    const emptied = await pruneEvents(client, schema, [{ userId, ...last, base }], true);
    await recordAttempts(client, schema, [
      {
        eventId: last.eventId,
        status: last.status,
        error: null,
        cause: 'prune',
        causedBy: null,
        operator,
        reason: 'forget',
      },
    ]);
    return emptied;
  });
  const remains = await readRemains(database, userId, lows);
  return { userId, isDryRun, events, topic, remains };
}

/** The user's newest entry. EVENT_NOT_FOUND, FORGET_REFUSED. */
async function requireForgettable(client: PoolClient, ledger: Ledger, userId: string): Promise<LastEntry> {
  const { schema } = ledger;
  const last = await readLastEntry(client, schema, userId);
  if (last === null)
    throw new UserEventsError('EVENT_NOT_FOUND', `This service's ledger has no event of user ${userId}`, {
      hint: 'Check the id: `user-events users get ID --history`.',
    });
  if (last.open > 0)
    throw refused(
      `${String(last.open)} of their events are failed or parked`,
      'Retry, skip or roll them back first: what they need would be gone.',
    );
  if ((await readRows(client, ledger.mapper.table, [userId])).size > 0)
    throw refused(
      'they are in the users table',
      `Publish a delete first (\`user-events publish delete ID\`), and have it consumed.`,
    );
  const history = (await readHistories(client, schema, [userId])).get(userId) ?? [];
  const kept = (await readBases(client, schema, [userId])).get(userId) ?? null;
  if (ledgerRow(history, ledger.mapper, 'first image', kept)?.exists === true)
    throw refused(
      'their row is gone, but no event has deleted them',
      `Publish a delete (\`user-events publish delete ID\`), or set the row back (\`user-events verify --fix\`).`,
    );
  return last;
}

/** The user's records at or above the low watermarks. */
async function readRemains(
  { pool, schema }: Database,
  userId: string,
  lows: ReadonlyMap<number, bigint>,
): Promise<readonly LogRemains[]> {
  const byPartition = new Map<number, bigint[]>();
  for (const { partition, offset } of await readOffsets(pool, schema, userId)) {
    if (offset < (lows.get(partition) ?? 0n)) continue;
    byPartition.set(partition, [...(byPartition.get(partition) ?? []), offset]);
  }
  return [...byPartition].map(([partition, offsets]) => ({ partition, offsets }));
}

function refused(why: string, hint: string): UserEventsError {
  return new UserEventsError('FORGET_REFUSED', `The user cannot be forgotten: ${why}`, { hint });
}
