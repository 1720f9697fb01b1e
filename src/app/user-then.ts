import { columnMapper } from '../domain/column-values.ts';
import type { HistoryEntry } from '../domain/history.ts';
import { readTime } from '../domain/offset-time.ts';
import type { RawJson } from '../domain/raw-json.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import { findUsersTable } from '../postgres/sql/find-users-table.ts';
import { readBinding } from '../postgres/sql/read-binding.ts';
import { readImages } from '../postgres/sql/read-event.ts';
import { readHistories } from '../postgres/sql/read-history.ts';
import { readInSnapshot, type Database } from '../postgres/transaction.ts';
import { imagesWanted, rowBefore } from './trace/row-effect.ts';

/**
 * A moment of a user's history: behind the record at an offset, of a partition or (null) of the one that has all of the
 * user's events; or at a time (ms, UTC).
 */
export type Moment =
  { readonly offset: bigint; readonly partition: number | null } | { readonly timestamp: number };

/** A user as of then: what the events up to then, as they stand today, make of the row. */
export interface UserThen {
  readonly userId: string;
  /** What it was asked for, as typed. */
  readonly at: string;
  /** The newest event that is in it. */
  readonly eventId: string;
  readonly partition: number;
  readonly offset: bigint;
  /** ISO 8601: when that event was published. */
  readonly timestamp: string;
  /** On the columns that events can carry; null where the user was not there. */
  readonly row: Readonly<Record<string, RawJson>> | null;
}

/**
 * `41` is an offset, `3@41` one of partition 3 as `log` and `status` print it; `@2026-01-31`, `@-1h` and the rest of log's
 * times are times, those that are no number also without the @. USAGE.
 */
export function parseMoment(text: string, nowMs: number): Moment {
  // However many digits it has: the seconds of an epoch need the @.
  if (/^\d{1,18}$/.test(text)) return { offset: BigInt(text), partition: null };
  const [, partition, offset] = /^(\d{1,9})@(\d{1,18})$/.exec(text) ?? [];
  if (partition !== undefined && offset !== undefined)
    return { offset: BigInt(offset), partition: Number(partition) };
  const said = text.startsWith('@') ? text.slice(1) : text;
  const time = readTime(said, nowMs);
  if (time?.length === said.length) return { timestamp: time.timestamp };
  throw new UserEventsError('USAGE', `--at takes an offset or a time, not ${text}`, {
    hint: 'Say 41, 3@41 (partition 3), @2026-01-31T08:00:00Z, or @-1h.',
  });
}

/**
 * The user's row as of a moment, folded from the nearest before image. What was rolled back since is not in it: it is the
 * history as it stands. USER_ROW_NOT_FOUND where the ledger has no event of the user up to then, or it was pruned.
 */
export async function userThen(
  { pool, schema }: Database,
  userId: string,
  at: string,
  nowMs: number,
): Promise<UserThen> {
  const moment = parseMoment(at, nowMs);
  const mapper = columnMapper(await findUsersTable(pool, await readBinding(pool, schema)));
  return readInSnapshot(pool, null, async (client) => {
    const history = (await readHistories(client, schema, [userId])).get(userId) ?? [];
    const count = countUpTo(history, moment, userId);
    const last = history[count - 1];
    if (last === undefined) throw notThen(`There is no event of user ${userId} up to ${at}`);
    const images = await readImages(client, schema, imagesWanted(history, count, mapper));
    const { row } = rowBefore(history, count, mapper, images);
    if (row === undefined) throw notThen(`What user ${userId} was at ${at} is not kept any more`);
    const { eventId, partition, offset } = last;
    const timestamp = new Date(last.timestamp).toISOString();
    return { userId, at, eventId, partition, offset, timestamp, row };
  });
}

/** How many entries of a history, from its first, lie before a moment. USAGE for an offset that says too little. */
function countUpTo(history: readonly HistoryEntry[], moment: Moment, userId: string): number {
  if ('timestamp' in moment) {
    // Up to the first event that is later: times of one producer's clock need not be in order.
    const later = history.findIndex(({ timestamp }) => timestamp > moment.timestamp);
    return later < 0 ? history.length : later;
  }
  // Since the topic grew, or producers sent elsewhere, offsets of several partitions are no order.
  const partitions = [...new Set(history.map(({ partition }) => partition))];
  if (moment.partition === null && partitions.length > 1) {
    const found = partitions.toSorted((a, b) => a - b).join(', ');
    throw new UserEventsError('USAGE', `Events of user ${userId} lie in several partitions: ${found}`, {
      hint: `Say which one: --at ${String(partitions[0])}@${String(moment.offset)}, or a time.`,
    });
  }
  const isIn = (entry: HistoryEntry): boolean =>
    (moment.partition ?? entry.partition) === entry.partition && entry.offset <= moment.offset;
  return history.findLastIndex(isIn) + 1;
}

function notThen(message: string): UserEventsError {
  return new UserEventsError('USER_ROW_NOT_FOUND', message, {
    hint: 'What the ledger has of the user: `user-events users get ID --history`.',
  });
}
