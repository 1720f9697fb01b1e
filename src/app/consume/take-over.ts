import { UserEventsError } from '../../errors/user-events-error.ts';
import type { EnvelopeContext } from '../../domain/envelope.ts';
import { identityOfPlace } from '../../domain/event-identity.ts';
import { readEnvelope } from '../../domain/read-envelope.ts';
import type { CommittedOffset, EventLog, Watermarks } from '../../log/event-log.ts';
import type { Pool } from '../../postgres/transaction.ts';
import { readGenerations, type Generation } from '../../postgres/sql/bind-group.ts';
import { acceptGap, readNewestRows, type NewestRow } from '../../postgres/sql/newest-row.ts';
import { readBinding } from '../../postgres/sql/read-binding.ts';
import { raiseEpochs, readPositions, startPositions, type Position } from '../../postgres/sql/positions.ts';
import type { Patience } from './patience.ts';

/** Where a group starts that has no position yet. */
export type StartFrom = 'start' | 'committed' | { readonly timestamp: number };

export interface TakeOverContext {
  readonly log: EventLog;
  readonly pool: Pool;
  readonly schema: string;
  readonly group: string;
  readonly schemaId: string;
  readonly envelope: EnvelopeContext;
  readonly from: StartFrom;
  readonly acceptGap: boolean;
  readonly operator: string;
}

/** What we commit to the log beside every offset: so that a group shared by two databases is found out. */
export function commitMetadata(schemaId: string): string {
  return `${COMMITTED_BY}${schemaId}`;
}
const COMMITTED_BY = 'user-events:';

/**
 * Takes partitions over at an assignment: gives new ones a start, raises the epochs (the former owner may write no more
 * from then on), and only then checks that the log is the one we know. Returns the claims.
 * Throws GROUP_SHARED, LOG_REPLACED, LOG_TRUNCATED (DESIGN 4).
 */
export async function takeOver(
  context: TakeOverContext,
  patience: Patience,
  partitions: readonly number[],
): Promise<readonly Position[]> {
  const { log, pool, schema } = context;
  const known = new Set(
    (await patience.run(() => readPositions(pool, schema))).map(({ partition }) => partition),
  );
  const committed = await log.committed(context.group);
  const fresh = partitions.filter((partition) => !known.has(partition));
  requireOwnGroup(context, committed);
  if (fresh.length > 0) {
    const generations = await patience.run(() => readGenerations(pool, schema));
    const { generation } = await patience.run(() => readBinding(pool, schema));
    const starts = await startOffsets(context, fresh, committed, generations, generation);
    await patience.run(() => startPositions(pool, schema, starts));
  }
  const claims = await patience.run(() => raiseEpochs(pool, schema, partitions));
  const hasMoved = await checkLog(context, patience, claims);
  if (!hasMoved) return claims;
  const moved = await patience.run(() => readPositions(pool, schema));
  // Only under the epoch just raised: a newer one is another member's.
  return claims.map(
    (claim) =>
      moved.find(({ partition, epoch }) => partition === claim.partition && epoch === claim.epoch) ?? claim,
  );
}

/**
 * Whatever is committed carries the schema's identity, or it is another's: of a Java consumer it carries nothing. To
 * commit over it would lose that one its place, so that has to be asked for, by --from committed; over another
 * database's never.
 */
function requireOwnGroup(
  { from, group, schemaId }: TakeOverContext,
  committed: ReadonlyMap<number, CommittedOffset>,
): void {
  const own = commitMetadata(schemaId);
  for (const { metadata } of committed.values()) {
    const isTakenOver = from === 'committed' && !metadata.startsWith(COMMITTED_BY);
    if (metadata === own || isTakenOver) continue;
    throw new UserEventsError('GROUP_SHARED', `The group ${group} is used by another database or program`);
  }
}

async function startOffsets(
  context: TakeOverContext,
  partitions: readonly number[],
  committed: ReadonlyMap<number, CommittedOffset>,
  generations: readonly Generation[],
  /** Of a partition that no growth has added: of the log as it is now. */
  current: number,
): Promise<{ readonly partition: number; readonly offset: bigint; readonly generation: number }[]> {
  const { from, log } = context;
  const lows = new Map((await log.watermarks()).map(({ partition, low }) => [partition, low]));
  const times = typeof from === 'object' ? await log.offsetsAtTime(from.timestamp) : null;
  return partitions.map((partition) => {
    const wanted = from === 'committed' ? committed.get(partition)?.offset : times?.get(partition);
    const growth = generations.find(
      ({ ends, partitionCount }) => partition >= ends.length && partition < partitionCount,
    );
    return {
      partition,
      offset: wanted ?? lows.get(partition) ?? 0n,
      generation: growth?.generation ?? current,
    };
  });
}

/**
 * Compares positions with the watermarks, and the newest ledger row of each partition with the record that lies there.
 * Returns whether --accept-gap moved a position.
 */
async function checkLog(
  context: TakeOverContext,
  patience: Patience,
  positions: readonly Position[],
): Promise<boolean> {
  const { pool, schema } = context;
  const watermarks = new Map((await context.log.watermarks()).map((marks) => [marks.partition, marks]));
  const partitions = positions.map((position) => position.partition);
  const newest = await patience.run(() => readNewestRows(pool, schema, partitions));
  let hasMoved = false;
  for (const position of positions) {
    const marks = watermarks.get(position.partition);
    if (marks === undefined) continue;
    const row = newest.find(({ partition }) => partition === position.partition);
    const isOther = row !== undefined && row.offset >= marks.low && (await isReplaced(context, row, marks));
    const place = `${context.envelope.topic}[${String(position.partition)}]`;
    if (position.nextOffset > marks.high || isOther) {
      const found = `${place} is not the log that this group has read up to ${String(position.nextOffset)}`;
      await refuseOrAccept(context, patience, 'LOG_REPLACED', found, position, marks.low);
      hasMoved = true;
    } else if (position.nextOffset < marks.low) {
      const lost = `${place}: offsets ${String(position.nextOffset)} to ${String(marks.low - 1n)} were deleted before they were read`;
      await refuseOrAccept(context, patience, 'LOG_TRUNCATED', lost, position, marks.low);
      hasMoved = true;
    }
  }
  return hasMoved;
}

async function isReplaced(context: TakeOverContext, row: NewestRow, marks: Watermarks): Promise<boolean> {
  if (row.offset >= marks.high) return true;
  const range = { partition: row.partition, from: row.offset, to: row.offset + 1n };
  for await (const { records } of context.log.read([range])) {
    const record = records.find(({ offset }) => offset === row.offset);
    // Compacted away: nothing to compare with.
    if (record === undefined) continue;
    const { clusterId, topic } = context.envelope;
    const { eventId, timestamp } = readEnvelope(record, context.envelope);
    const ids = [eventId, identityOfPlace(record, clusterId, topic).eventId];
    return timestamp !== row.timestamp || !ids.includes(row.eventId);
  }
  return false;
}

async function refuseOrAccept(
  context: TakeOverContext,
  patience: Patience,
  reason: 'LOG_REPLACED' | 'LOG_TRUNCATED',
  message: string,
  position: Position,
  to: bigint,
): Promise<void> {
  if (!context.acceptGap) throw new UserEventsError(reason, message);
  const { pool, schema, operator } = context;
  const gap = { partition: position.partition, from: position.nextOffset, to, reason, operator };
  await patience.run(() => acceptGap(pool, schema, gap));
}
