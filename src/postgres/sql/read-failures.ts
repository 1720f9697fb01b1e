import type { JsonObject } from '../../domain/event.ts';
import type { EventErrorCode } from '../../errors/codes.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';
import type { TargetRow } from './read-targets.ts';
import type { EventPlace } from './read-statuses.ts';

/** Which failed events are wanted; null does not matter. */
export interface FailureFilter {
  readonly codes: readonly EventErrorCode[] | null;
  /** True: rollback events alone; false: none of them. */
  readonly isRollback: boolean | null;
  /** An SQLSTATE, or what one begins with (`23`). */
  readonly sqlState: string | null;
  readonly constraint: string | null;
  /** Names of one field and of the column that it reaches: any of them. */
  readonly fields: readonly string[] | null;
  /** Beside `fields`: what these constraints refused. */
  readonly fieldConstraints: readonly string[];
  readonly userId: string | null;
  /** When the last decision on it was made: [since, until). */
  readonly since: Date | null;
  readonly until: Date | null;
}

export interface FailureRow extends EventPlace {
  readonly eventId: string;
  readonly userId: string | null;
  readonly operation: string | null;
  /** When it was published: ms since the epoch. */
  readonly timestamp: number;
  readonly code: EventErrorCode;
  readonly sqlState: string | null;
  readonly message: string;
  readonly detail: JsonObject | null;
  readonly attempts: number;
  readonly decidedAt: Date;
  /** How many events wait behind it. */
  readonly parked: number;
}

export interface FailureCount {
  readonly code: EventErrorCode;
  readonly failed: number;
  readonly parked: number;
}

/** A failed event to be acted on, as a bulk wants it. */
export type FailedTarget = Pick<TargetRow, 'eventId' | 'userId' | 'partition' | 'operation'>;

/** Rows that travel at once: some 1 MB. */
const PAGE = 1000;

/**
 * Hands the failed events on by pages, in the order in which they failed; with a limit the newest ones. Inside the
 * caller's transaction, through a cursor: one query, and memory stays flat. Uses the partial index `ledger_open`. No locks.
 */
export async function readFailures(
  client: Queryable,
  schema: string,
  filter: FailureFilter,
  limit: number | null,
  onPage: (rows: readonly FailureRow[]) => Promise<void>,
): Promise<void> {
  await client.query(
    `declare failures no scroll cursor for ${limit === null ? allOf(schema) : newestOf(schema, limit)}`,
    parametersOf(filter),
  );
  for (;;) {
    const { rows } = await client.query<FailureRow>(`fetch ${String(PAGE)} from failures`);
    if (rows.length > 0) await onPage(rows);
    if (rows.length < PAGE) break;
  }
  await client.query('close failures');
}

/** Failed events, and those that wait behind them, by code; the most frequent first. One query, no locks. */
export async function countFailures(
  client: Queryable,
  schema: string,
  filter: FailureFilter,
): Promise<readonly FailureCount[]> {
  const text = `select l.error_code as code, count(*)::float8 as failed, coalesce(sum(p.events), 0)::float8 as parked
    from ${ledger(schema)} l ${parkedBehind(schema)} where ${CONDITIONS} group by 1 order by 2 desc, 1`;
  return (await client.query<FailureCount>(text, parametersOf(filter))).rows;
}

/** The failed events that are wanted, in the order of the log. Uses the partial index `ledger_open`. No locks. */
export async function readFailedTargets(
  db: Queryable,
  schema: string,
  filter: FailureFilter,
): Promise<readonly FailedTarget[]> {
  const text = `select event_id as "eventId", user_id as "userId", partition, operation from ${ledger(schema)} l
    where ${CONDITIONS} order by l.generation, l.partition, l."offset"`;
  return (await db.query<FailedTarget>(text, parametersOf(filter))).rows;
}

const COLUMNS = `l.event_id as "eventId", l.user_id as "userId", l.operation, l.partition, l."offset",
  round(extract(epoch from l.published_at) * 1000)::float8 as timestamp, l.error_code as code, l.sqlstate as "sqlState",
  l.error_message as message, l.error_detail as detail, l.attempts, l.decided_at as "decidedAt"`;

/** A retry that fails again is decided anew: then it is among the newest. */
const ORDER = 'l.decided_at, l.generation, l.partition, l."offset"';

/** What is wanted of the failed events `l`, with the parameters $1 to $9. */
export const CONDITIONS = `l.status = 'failed'
  and ($1::text[] is null or l.error_code = any ($1))
  and ($2::bool is null or (l.operation is not distinct from 'rollback') = $2)
  and ($3::text is null or starts_with(l.sqlstate, $3))
  and ($4::text is null or l.error_detail->>'constraint' = $4)
  and ($5::text[] is null or l.error_detail->>'field' = any ($5) or l.error_detail->>'column' = any ($5)
    or (l.error_detail->'columns')::jsonb ?| $5 or l.error_detail->>'constraint' = any ($9::text[]))
  and ($6::text is null or l.user_id = $6)
  and ($7::timestamptz is null or l.decided_at >= $7)
  and ($8::timestamptz is null or l.decided_at < $8)`;

/** Of `CONDITIONS`. */
export function parametersOf(filter: FailureFilter): unknown[] {
  const { codes, isRollback, sqlState, constraint, fields, userId, since, until, fieldConstraints } = filter;
  return [codes, isRollback, sqlState, constraint, fields, userId, since, until, fieldConstraints];
}

function ledger(schema: string): string {
  return `${quoteIdentifier(schema)}.ledger`;
}

/** Of all failed events: what waits is counted once for all. */
function allOf(schema: string): string {
  return `select ${COLUMNS}, coalesce(p.events, 0)::float8 as parked
    from ${ledger(schema)} l ${parkedBehind(schema)} where ${CONDITIONS} order by ${ORDER}`;
}

function parkedBehind(schema: string): string {
  return `left join (select w.blocked_by, count(*) as events from ${ledger(schema)} w where w.status = 'parked' group by 1) p
    on p.blocked_by = l.event_id`;
}

/** Of a few failed events: what waits is counted for each, by its user. */
function newestOf(schema: string, limit: number): string {
  const newest = ORDER.split(', ').map((column) => `${column} desc`);
  return `select ${COLUMNS}, (select count(*)::float8 from ${ledger(schema)} w
      where w.user_id = l.user_id and w.status = 'parked' and w.blocked_by = l.event_id) as parked
    from (select l.* from ${ledger(schema)} l where ${CONDITIONS} order by ${newest.join(', ')} limit ${String(limit)}) l
    order by ${ORDER}`;
}
