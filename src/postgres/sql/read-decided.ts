import type { EventError } from '../../domain/column-values.ts';
import type { Status } from '../../domain/event.ts';
import type { EventErrorCode } from '../../errors/codes.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';
import type { Claim } from './apply-batch.ts';

/** What the ledger says of a record, by its place. */
export interface DecidedRow {
  readonly offset: bigint;
  readonly eventId: string;
  readonly status: Status;
  readonly blockedBy: string | null;
  readonly error: EventError | null;
}

interface Row extends Omit<DecidedRow, 'error'> {
  readonly code: EventErrorCode | null;
  readonly message: string | null;
}

/**
 * Reads what was decided of a partition's offsets [from, to), in order; a record that counted as a duplicate is absent.
 * Uses the index `ledger_offset`. No locks.
 */
export async function readDecided(
  db: Queryable,
  schema: string,
  { partition, generation }: Pick<Claim, 'partition' | 'generation'>,
  from: bigint,
  to: bigint,
): Promise<readonly DecidedRow[]> {
  const text = `select "offset", event_id as "eventId", status, blocked_by as "blockedBy", error_code as code,
      error_message as message from ${quoteIdentifier(schema)}.ledger
    where generation = $1 and partition = $2 and "offset" >= $3 and "offset" < $4 order by "offset"`;
  const { rows } = await db.query<Row>(text, [generation, partition, from, to]);
  return rows.map(({ code, message, ...row }) => ({
    ...row,
    error: code === null ? null : { code, message: message ?? '' },
  }));
}
