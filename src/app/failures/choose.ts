import { readFailedTargets, type FailedTarget } from '../../postgres/sql/read-failures.ts';
import type { Database } from '../../postgres/transaction.ts';
import { failureFilter, type FailuresWanted } from './wanted.ts';

/** Failed events by what they are like; `nowMs` is what times that are ago are counted from. */
export interface FailedOnes {
  readonly wanted: FailuresWanted;
  /** ms since the epoch. */
  readonly nowMs: number;
}

/** Which events a command is about: those named, or the failed ones that are like this. */
export type ChosenEvents = readonly string[] | FailedOnes;

/** The failed events that are wanted, in the order of the log. USAGE for a time that is none, NOT_INITIALISED. */
export async function chooseFailed(
  { pool, schema }: Database,
  { wanted, nowMs }: FailedOnes,
): Promise<readonly FailedTarget[]> {
  return readFailedTargets(pool, schema, await failureFilter(pool, schema, wanted, nowMs));
}

/** The same, by their ids alone. */
export async function failedEventIds(database: Database, chosen: FailedOnes): Promise<readonly string[]> {
  return (await chooseFailed(database, chosen)).map(({ eventId }) => eventId);
}

/** True where events are named one by one. */
export function areNamed(chosen: ChosenEvents): chosen is readonly string[] {
  return Array.isArray(chosen);
}
