import { UserEventsError } from '../../errors/user-events-error.ts';
import type { FailedTarget } from '../../postgres/sql/read-failures.ts';
import { readTargets } from '../../postgres/sql/read-targets.ts';
import type { Database } from '../../postgres/transaction.ts';
import { areNamed, chooseFailed, type ChosenEvents, type FailedOnes } from '../failures/choose.ts';

/** What is to be withdrawn of one user. */
export interface UserTargets {
  readonly userId: string;
  readonly rows: readonly FoundTarget[];
}

/** An event that the ledger has, failed or not. */
type FoundTarget = Pick<FailedTarget, 'eventId' | 'partition'>;
type FoundRow = Omit<FailedTarget, 'operation'>;

/** An event of a bulk of which nothing can be withdrawn: the others are. */
export interface Rejected {
  readonly eventId: string;
  readonly code: 'EVENT_NOT_FOUND' | 'ROLLBACK_REFUSED';
  readonly message: string;
}

export interface FoundTargets {
  readonly users: readonly UserTargets[];
  readonly rejected: readonly Rejected[];
}

/** For an id that the ledger does not have. */
export const NOT_READ_YET =
  'Check the id. If the log has it, this service has not read it yet: `user-events consume --until-end`.';

/** Ids of one look-up: some 160 kB of parameters. */
const IDS_AT_ONCE = 10_000;

/**
 * Finds what is to be withdrawn in this service's ledger, by user. Of a bulk, what cannot be is set aside; a single event
 * throws EVENT_NOT_FOUND, or ROLLBACK_REFUSED for one without a user (it had no effect; skip it).
 */
export async function findTargets(database: Database, chosen: ChosenEvents): Promise<FoundTargets> {
  const rows = areNamed(chosen) ? await namedRows(database, chosen) : await failedRows(database, chosen);
  const byUser = new Map<string, FoundTarget[]>();
  const userless: Rejected[] = [];
  for (const row of rows) {
    const { userId, eventId } = row;
    if (userId === null) {
      const message = `Event ${eventId} has no user: it had no effect`;
      userless.push({ eventId, code: 'ROLLBACK_REFUSED', message });
      continue;
    }
    const others = byUser.get(userId);
    if (others === undefined) byUser.set(userId, [row]);
    else others.push(row);
  }
  const rejected = [...(areNamed(chosen) ? unknownOf(chosen, rows) : []), ...userless];
  if ((areNamed(chosen) ? chosen : rows).length === 1) throwFirst(rejected);
  return { users: [...byUser].map(([userId, targets]) => ({ userId, rows: targets })), rejected };
}

function unknownOf(eventIds: readonly string[], rows: readonly FoundRow[]): readonly Rejected[] {
  const known = new Set(rows.map(({ eventId }) => eventId));
  return eventIds
    .filter((eventId) => !known.has(eventId))
    .map((eventId) => {
      return { eventId, code: 'EVENT_NOT_FOUND', message: `This service's ledger has no event ${eventId}` };
    });
}

async function namedRows(
  { pool, schema }: Database,
  eventIds: readonly string[],
): Promise<readonly FoundRow[]> {
  const rows: FoundRow[] = [];
  for (let from = 0; from < eventIds.length; from += IDS_AT_ONCE)
    rows.push(...(await readTargets(pool, schema, eventIds.slice(from, from + IDS_AT_ONCE))));
  return rows;
}

/** A failed rollback is retried or skipped, not rolled back in bulk; an event without a user had no effect. */
async function failedRows(database: Database, chosen: FailedOnes): Promise<readonly FoundRow[]> {
  const failed = await chooseFailed(database, chosen);
  return failed.filter(({ operation, userId }) => operation !== 'rollback' && userId !== null);
}

function throwFirst([first]: readonly Rejected[]): void {
  if (first === undefined) return;
  const { eventId, code, message } = first;
  const hint =
    code === 'EVENT_NOT_FOUND'
      ? NOT_READ_YET
      : `Accept the loss with \`user-events skip ${eventId} --reason …\`.`;
  throw new UserEventsError(code, message, { hint, facts: { eventIds: [eventId] } });
}
