import type { RollbackEvent, Status } from '../../domain/event.ts';
import { uuidArray } from '../binary-array.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';
import type { RollbackRow } from './relabel.ts';

/** Where an event to be acted on lies in this service's ledger. */
export interface TargetRow {
  readonly eventId: string;
  readonly userId: string | null;
  readonly partition: number;
  readonly offset: bigint;
  readonly operation: string | null;
  readonly status: Status;
  /** How often it was executed. */
  readonly attempts: number;
}

/** Finds events by id; unknown ones are absent. Uses the primary key. No locks. */
export async function readTargets(
  db: Queryable,
  schema: string,
  eventIds: readonly string[],
): Promise<readonly TargetRow[]> {
  const text = `select event_id as "eventId", user_id as "userId", partition, "offset", operation, status, attempts
    from ${quoteIdentifier(schema)}.ledger where event_id = any ($1::uuid[])
    order by generation, "offset"`;
  return (await db.query<TargetRow>(text, [uuidArray(eventIds)])).rows;
}

/** The rows of rollback events that were committed without our hearing of it; those that are not there are absent. */
export async function readRollbackRows(
  db: Queryable,
  schema: string,
  events: readonly RollbackEvent[],
): Promise<readonly RollbackRow[]> {
  const outcomes = await readOutcomes(
    db,
    schema,
    events.map(({ eventId }) => eventId),
  );
  return events.flatMap((event): RollbackRow[] => {
    const outcome = outcomes.get(event.eventId);
    if (outcome === undefined) return [];
    const status = outcome.status === 'failed' || outcome.status === 'refused' ? outcome.status : 'applied';
    return [{ event, eventId: event.eventId, status, withdraws: null, error: null }];
  });
}

/** What became of an event. */
export interface OutcomeRow {
  readonly status: Status;
  /** Why it failed or was refused. */
  readonly code: string | null;
  readonly message: string | null;
  readonly attempts: number;
}

/** What became of events; those not decided yet are absent. */
export async function readOutcomes(
  db: Queryable,
  schema: string,
  eventIds: readonly string[],
): Promise<ReadonlyMap<string, OutcomeRow>> {
  const text = `select event_id as "eventId", status, error_code as code, error_message as message, attempts
    from ${quoteIdentifier(schema)}.ledger where event_id = any ($1::uuid[])`;
  const { rows } = await db.query<OutcomeRow & { eventId: string }>(text, [uuidArray(eventIds)]);
  return new Map(rows.map(({ eventId, ...outcome }) => [eventId, outcome]));
}
