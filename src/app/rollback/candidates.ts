import { findCandidates, type Candidate } from '../../postgres/sql/find-candidates.ts';
import type { Database } from '../../postgres/transaction.ts';

export type { Candidate } from '../../postgres/sql/find-candidates.ts';

/** Lines of a list that is scrolled, not read to its end. */
const MOST = 50;

/** Events to pick one to be rolled back from, failed ones first; `term` is what was typed so far. */
export function searchCandidates({ pool, schema }: Database, term: string): Promise<readonly Candidate[]> {
  return findCandidates(pool, schema, term.trim(), MOST);
}
