import type { LogEvent } from '../../domain/event.ts';
import type { Decision } from '../../domain/fold.ts';
import type { Claim } from '../../postgres/sql/apply-batch.ts';
import { readDecided } from '../../postgres/sql/read-decided.ts';
import type { RollbackRow } from '../../postgres/sql/relabel.ts';
import type { Applied } from './apply-events.ts';
import type { ClaimContext } from './partition-claim.ts';
import type { Patience } from './patience.ts';

/**
 * What a statement of ours decided that was given up as lost and committed after all: the position found at the next
 * claim lies beyond the one we knew. Null where it does not, or where another claimed in between: then it may be the
 * other's work, who has told of it. As the ledger has it now: a retry since then counts as what it made of the event.
 */
export async function readUnheard(
  { pool, schema }: ClaimContext,
  patience: Patience,
  before: Claim,
  now: Claim,
  events: readonly LogEvent[],
): Promise<Omit<Applied, 'elapsedMs'> | null> {
  const { partition, nextOffset } = now;
  if (now.epoch !== before.epoch + 1n || nextOffset <= before.nextOffset) return null;
  const rows = await patience.run(() => readDecided(pool, schema, before, before.nextOffset, nextOffset));
  const byOffset = new Map(rows.map((row) => [row.offset, row]));
  const decisions: Decision[] = [];
  const rollbacks: RollbackRow[] = [];
  let duplicates = 0;
  for (const event of events) {
    if (event.offset < before.nextOffset || event.offset >= nextOffset) continue;
    const row = byOffset.get(event.offset);
    if (row === undefined) {
      duplicates++;
      continue;
    }
    const { eventId, status, blockedBy, error } = row;
    if (event.kind === 'rollback') {
      const known = status === 'failed' || status === 'refused' ? status : 'applied';
      rollbacks.push({ event, eventId, status: known, withdraws: null, error });
    } else {
      const known = status === 'rolled_back' || status === 'refused' ? 'applied' : status;
      decisions.push({ event, eventId, status: known, blockedBy, error });
    }
  }
  return { partition, decisions, rollbacks, duplicates, nextOffset };
}
