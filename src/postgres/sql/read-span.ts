import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';

/** One row of the ledger, as it is compared with the log's record at its offset. */
export interface SpanRow {
  readonly eventId: string;
  readonly offset: bigint;
  readonly userId: string | null;
  readonly operation: string | null;
  /** The JSON as written; null where there is none, or it was pruned. */
  readonly data: string | null;
  readonly raw: Buffer | null;
  /** The record's id was another event's, so the row has an id of its own. */
  readonly isReused: boolean;
}

/** The ledger's rows of a partition from `from` on, below `to`, of the log as it is now. By offset; no locks. */
export async function readSpan(
  db: Queryable,
  schema: string,
  { partition, from, to }: { readonly partition: number; readonly from: bigint; readonly to: bigint },
): Promise<readonly SpanRow[]> {
  const name = quoteIdentifier(schema);
  const text = `select event_id as "eventId", "offset", user_id as "userId", operation, data::text as data, raw,
      error_code is not distinct from 'EVENT_ID_REUSED' as "isReused" from ${name}.ledger
    where partition = $1 and "offset" >= $2 and "offset" < $3 and generation >= (
      select coalesce(max(generation), 0) from ${name}.gap where partition = $1 and reason = 'LOG_REPLACED')
    order by "offset"`;
  return (await db.query<SpanRow>({ name: 'user-events read-span', text, values: [partition, from, to] }))
    .rows;
}

/** Which of these events the ledger has, at whatever offset. */
export async function readKnownIds(
  db: Queryable,
  schema: string,
  eventIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const text = `select event_id from ${quoteIdentifier(schema)}.ledger where event_id = any ($1::uuid[])`;
  const { rows } = await db.query<{ event_id: string }>(text, [eventIds]);
  return new Set(rows.map((row) => row.event_id));
}
