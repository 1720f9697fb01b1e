import { int8Array } from '../binary-array.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';
import type { Claim } from './apply-batch.ts';

interface PositionRow {
  readonly partition: number;
  readonly epoch: bigint;
  readonly revision: bigint;
  readonly generation: number;
  readonly next_offset: bigint;
  readonly start_offset: bigint;
}

/** One partition's position, as the database has it. */
export interface Position extends Claim {
  readonly startOffset: bigint;
}

const COLUMNS = 'partition, epoch, revision, generation, next_offset, start_offset';

function toPosition(row: PositionRow): Position {
  const { partition, epoch, revision, generation } = row;
  return {
    partition,
    epoch,
    revision,
    generation,
    nextOffset: row.next_offset,
    startOffset: row.start_offset,
  };
}

/** Reads all positions of the group, by partition. No locks. */
export async function readPositions(db: Queryable, schema: string): Promise<readonly Position[]> {
  const text = `select ${COLUMNS} from ${quoteIdentifier(schema)}.position order by partition`;
  return (await db.query<PositionRow>(text)).rows.map(toPosition);
}

/** Makes the positions of partitions that have none yet; one that is there stays as it is. One row each. */
export async function startPositions(
  db: Queryable,
  schema: string,
  starts: readonly { readonly partition: number; readonly offset: bigint; readonly generation: number }[],
): Promise<void> {
  const text = `insert into ${quoteIdentifier(schema)}.position (partition, next_offset, start_offset, generation)
    select s.partition, s.start, s.start, s.generation
    from unnest($1::int[], $2::int8[], $3::int[]) as s(partition, start, generation)
    on conflict (partition) do nothing`;
  await db.query(text, [
    starts.map((start) => start.partition),
    int8Array(starts.map((start) => start.offset)),
    starts.map((start) => start.generation),
  ]);
}

/**
 * Raises the epoch of the partitions: whoever had an older one may write no more. Returns where they stand, read under
 * the row locks that the statement holds until it commits. Partitions without a position are absent.
 */
export async function raiseEpochs(
  db: Queryable,
  schema: string,
  partitions: readonly number[],
): Promise<readonly Position[]> {
  const text = `update ${quoteIdentifier(schema)}.position set epoch = epoch + 1, updated_at = now()
    where partition = any ($1::int[]) returning ${COLUMNS}`;
  return (await db.query<PositionRow>(text, [partitions])).rows.map(toPosition);
}

/**
 * Claims up to `nextOffset` in a transaction that changes the ledger beside the batch statement (a rollback's
 * execution), and raises the revision. Null: fenced, the transaction has to be aborted.
 */
export async function claimRange(
  db: Queryable,
  schema: string,
  claim: Claim,
  nextOffset: bigint,
  duplicates: number,
): Promise<Position | null> {
  const text = `update ${quoteIdentifier(schema)}.position
    set next_offset = $5, revision = revision + 1, duplicates = duplicates + $6, updated_at = now()
    where partition = $1 and epoch = $2 and next_offset = $3 and revision = $4 returning ${COLUMNS}`;
  const values = [claim.partition, claim.epoch, claim.nextOffset, claim.revision, nextOffset, duplicates];
  const row = (await db.query<PositionRow>(text, values)).rows[0];
  return row === undefined ? null : toPosition(row);
}

/**
 * Raises the revision of partitions, in a fixed order, for a writer of the ledger beside the consumer (retry, skip,
 * verify --fix, prune): the consumer drops what it had read. A row lock alone would not do (DESIGN 4).
 */
export async function raiseRevisions(
  db: Queryable,
  schema: string,
  partitions: readonly number[] | 'all',
): Promise<void> {
  const position = `${quoteIdentifier(schema)}.position`;
  const text = `with locked as (
      select partition from ${position} where $1::int[] is null or partition = any ($1::int[]) order by partition for update)
    update ${position} p set revision = revision + 1, updated_at = now() from locked where p.partition = locked.partition`;
  await db.query(text, [partitions === 'all' ? null : partitions]);
}

/**
 * Keeps all positions from moving until the transaction ends: waits for the consumers' transactions under way, and new
 * ones wait for this. First thing in a transaction it takes no snapshot, so what is read next cannot be stale.
 */
export async function lockPositions(db: Queryable, schema: string): Promise<void> {
  await db.query(`lock table ${quoteIdentifier(schema)}.position in share row exclusive mode`);
}
