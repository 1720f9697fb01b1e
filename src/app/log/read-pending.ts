import type { LogEvent } from '../../domain/event.ts';
import { partitionFor } from '../../domain/partitioner.ts';
import { readEnvelope } from '../../domain/read-envelope.ts';
import type { KeyType } from '../../domain/users-table.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { EventLog, ReadRange, TopicDescription, Watermarks } from '../../log/event-log.ts';
import { readPositions, type Position } from '../../postgres/sql/positions.ts';
import type { Database } from '../../postgres/transaction.ts';
import { requireBoundTopic } from '../bound-topic.ts';
import { envelopeContext, type TypeSettings } from '../envelope-context.ts';

/** Of each partition so much is looked at, offsets: some 0.3 s. What was sent just now is among the newest. */
const MOST_OFFSETS = 50_000;

/** What lies in the log ahead of this service. */
export interface Ahead {
  /** By user, in the order of the log. Users of whom nothing is ahead are absent. */
  readonly byUser: ReadonlyMap<string, readonly LogEvent[]>;
  /** Null: all that is ahead was looked at. Else why not: a log that is away, or far ahead. */
  readonly gap: string | null;
}

/** Where nobody is asked for. */
export const NOTHING_AHEAD: Ahead = { byUser: new Map(), gap: null };

/** Users, and partitions in which events of theirs lie. */
export type UserPartitions = ReadonlyMap<string, readonly number[]>;

export interface AheadRequest {
  /** Users, and the partitions beside that of their key in which events of theirs lie. Asked only where something is ahead. */
  readonly users: () => UserPartitions;
  readonly keyType: KeyType;
  readonly types: TypeSettings;
  readonly signal: AbortSignal;
}

/** Where the log ends, and how far this service has read it. */
export interface Lookout {
  readonly log: EventLog;
  readonly description: TopicDescription;
  readonly watermarks: readonly Watermarks[];
  readonly positions: readonly Position[];
}

/**
 * Looks how far the log goes beyond this service's positions. Whoever decides on histories reads them after it: an event that
 * is executed between the two would be in neither. `reading`: where they are being read already.
 * Throws the log's errors, and BINDING_MISMATCH for a log that is not this ledger's.
 */
export async function lookAhead(
  database: Database,
  log: EventLog,
  reading: Promise<readonly Position[]> = readPositions(database.pool, database.schema),
): Promise<Lookout> {
  const [description, watermarks, positions] = await Promise.all([log.describe(), log.watermarks(), reading]);
  await requireBoundTopic(database, description.topic);
  return { log, description, watermarks, positions };
}

/** Whether there is anything in the log that this service has not executed. */
export function isBehind({ watermarks, positions }: Lookout): boolean {
  return rangesAhead(watermarks, positions).length > 0;
}

/**
 * Reads what the log has of some users ahead of this service's positions: published, not executed here yet. Cheap: those
 * users' partitions alone, and of each the newest 50,000 offsets at the most. Throws the log's errors.
 */
export async function readAhead(lookout: Lookout, request: AheadRequest): Promise<Ahead> {
  const { log, description, watermarks, positions } = lookout;
  const { keyType, types, signal } = request;
  const unread = rangesAhead(watermarks, positions);
  // Most often nothing is ahead at all, and nobody's partition matters.
  if (unread.length === 0) return NOTHING_AHEAD;
  const users = request.users();
  const wanted = partitionsOf(users, description.partitionCount);
  const ranges = unread.filter(({ partition }) => wanted.has(partition));
  const envelope = envelopeContext(description, keyType, types);
  const byUser = new Map<string, LogEvent[]>();
  if (ranges.length > 0) {
    for await (const { records } of log.read(ranges, { signal })) {
      for (const record of records) {
        if (record.key !== null && !users.has(record.key.toString())) continue;
        const event = readEnvelope(record, envelope);
        if (event.userId === null || !users.has(event.userId)) continue;
        byUser.set(event.userId, [...(byUser.get(event.userId) ?? []), event]);
      }
    }
  }
  return {
    byUser,
    gap: ranges.some(({ isCut }) => isCut)
      ? 'this service is far behind: only the newest of the log was looked at'
      : null,
  };
}

/** The same where it is a help and no need: a log that cannot be read is a gap, told by its code. */
export async function tryReadAhead(
  database: Database,
  openLog: () => Promise<EventLog>,
  request: AheadRequest,
): Promise<Ahead> {
  try {
    return await readAhead(await lookAhead(database, await openLog()), request);
  } catch (error) {
    if (!(error instanceof UserEventsError) || error.code === 'INTERRUPTED') throw error;
    return { byUser: new Map(), gap: `the log cannot be read (${error.code})` };
  }
}

function partitionsOf(users: UserPartitions, partitionCount: number): ReadonlySet<number> {
  return new Set(
    [...users].flatMap(([userId, known]) => [partitionFor(Buffer.from(userId), partitionCount), ...known]),
  );
}

/** Of each partition what this service has not read; `isCut`: it is more than is looked at. */
function rangesAhead(
  watermarks: readonly Watermarks[],
  positions: readonly Position[],
): readonly (ReadRange & { readonly isCut: boolean })[] {
  const next = new Map(positions.map(({ partition, nextOffset }) => [partition, nextOffset]));
  return watermarks.flatMap(({ partition, low, high }) => {
    const position = next.get(partition) ?? low;
    const first = position < low ? low : position;
    const newest = high - BigInt(MOST_OFFSETS);
    if (first >= high) return [];
    return [{ partition, from: newest > first ? newest : first, to: high, isCut: newest > first }];
  });
}
