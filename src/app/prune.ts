import { foldBase } from '../domain/expected-row.ts';
import { isCud } from '../domain/history.ts';
import { endOfPortion, type PortionEnd, type UserRange } from '../postgres/sql/find-suspects.ts';
import { raiseRevisions } from '../postgres/sql/positions.ts';
import {
  countUserless,
  findPrunable,
  pruneEvents,
  pruneUserless,
  readBases,
} from '../postgres/sql/prune-events.ts';
import { readHistories } from '../postgres/sql/read-history.ts';
import { inTransaction, limitIdling, type Database, type PoolClient } from '../postgres/transaction.ts';
import type { Ledger } from './consume/open-group.ts';
import { repeatOnConflict } from './reconcile/repeat.ts';

export interface PruneRequest {
  /** Events decided on before this moment are pruned. */
  readonly before: Date;
  /** Count what would be pruned, and prune nothing. */
  readonly isDryRun: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (events: number) => void;
}

export interface PruneResult {
  /** ISO 8601. */
  readonly before: string;
  readonly isDryRun: boolean;
  /** Users of whom something was pruned, and events emptied. */
  readonly users: number;
  readonly events: number;
}

/** Rows of the ledger looked at in one transaction: a consumer beside it waits for some ten ms. */
const LEDGER_ROWS_AT_ONCE = 2_000;

/**
 * Retention of the ledger (DESIGN 7): empties data and images of events that are old enough, in bounded transactions
 * beside a running consumer. What something failed or parked needs stays; so does what the fold needs: an image behind the
 * pruned events, or a base of the user. Stopped or killed at any moment, what was pruned is whole; run again, it goes on.
 */
export async function prune(database: Database, ledger: Ledger, request: PruneRequest): Promise<PruneResult> {
  const { pool, schema } = database;
  const { before, isDryRun, signal } = request;
  const total = { users: 0, events: 0 };
  let after: string | null = null;
  do {
    signal.throwIfAborted();
    const { upTo }: PortionEnd = await endOfPortion(pool, schema, after, LEDGER_ROWS_AT_ONCE);
    const range = { after, upTo };
    const found = await findPrunable(pool, schema, range, before);
    total.users += found.filter(({ events }) => events > 0).length;
    // A range with nothing to prune takes no lock.
    if (isDryRun) total.events += found.reduce((sum, { events }) => sum + events, 0);
    else if (found.length > 0) {
      total.events += await repeatOnConflict(ledger.ours, signal, () =>
        inTransaction(pool, 'read committed', (client) => pruneRange(client, ledger, range, before)),
      );
    }
    request.onProgress(total.events);
    after = upTo;
  } while (after !== null);
  if (isDryRun) total.events += await countUserless(pool, schema, before);
  for (let emptied = LEDGER_ROWS_AT_ONCE; !isDryRun && emptied === LEDGER_ROWS_AT_ONCE;) {
    signal.throwIfAborted();
    emptied = await pruneUserless(pool, schema, before, LEDGER_ROWS_AT_ONCE);
    total.events += emptied;
    request.onProgress(total.events);
  }
  return { before: before.toISOString(), isDryRun, ...total };
}

async function pruneRange(
  client: PoolClient,
  ledger: Ledger,
  range: UserRange,
  before: Date,
): Promise<number> {
  const { schema, mapper } = ledger;
  await limitIdling(client);
  await raiseRevisions(client, schema, 'all');
  // Looked for again, now that nobody else writes.
  const found = await findPrunable(client, schema, range, before);
  const ids = found.map(({ userId }) => userId);
  const [histories, bases] = [await readHistories(client, schema, ids), await readBases(client, schema, ids)];
  const users = found.flatMap((prunable) => {
    const history = histories.get(prunable.userId) ?? [];
    const pruned = history.slice(0, history.findIndex(({ eventId }) => eventId === prunable.eventId) + 1);
    const base = foldBase(pruned, mapper, bases.get(prunable.userId) ?? null);
    const isAnyApplied = pruned.some((entry) => isCud(entry) && entry.status === 'applied');
    // What the fold cannot tell any more it must not lose either.
    return base === null && isAnyApplied ? [] : [{ ...prunable, base }];
  });
  return pruneEvents(client, schema, users);
}
