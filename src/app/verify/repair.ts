import type { EventError } from '../../domain/column-values.ts';
import { notRefused, outcomeOf } from '../../postgres/sql/outcome.ts';
import { raiseRevisions } from '../../postgres/sql/positions.ts';
import { recordAttempts, type Attempt } from '../../postgres/sql/relabel.ts';
import {
  correctData,
  deleteUnknownRows,
  repairImages,
  repairRows,
  type RepairCounts,
} from '../../postgres/sql/repair-rows.ts';
import {
  inTransaction,
  limitIdling,
  savepoint,
  type Database,
  type PoolClient,
} from '../../postgres/transaction.ts';
import type { Ledger } from '../consume/open-group.ts';
import { examineUsers, type Corrections, type WrongRow } from './examine.ts';
import { portionsOf } from './portions.ts';
import { swapValues } from './swap-values.ts';

export interface RepairOrder {
  /** Users whose rows were found to differ. They are looked at again, under the lock. */
  readonly userIds: readonly string[];
  /** Rows to delete, of which the log knows nothing. */
  readonly unknown: readonly string[];
  readonly corrections: Corrections;
  readonly operator: string;
  readonly reason: string;
  readonly onProgress: (done: number, total: number) => void;
}

export interface Repaired extends RepairCounts {
  /** Events whose value in the ledger was set to the log's. */
  readonly corrected: number;
  /** Users whose rows the table itself refuses: they stay as they are. */
  readonly refused: readonly { readonly userId: string; readonly error: EventError }[];
}

/**
 * Writes the fold's rows into the table, differences only, in one transaction: all of it or, killed at any moment,
 * nothing. It holds every position meanwhile, so a consumer beside it waits, and then reads its facts anew (DESIGN 4).
 */
export async function repair(database: Database, ledger: Ledger, order: RepairOrder): Promise<Repaired> {
  return inTransaction(database.pool, 'read committed', async (client) => {
    await limitIdling(client);
    await raiseRevisions(client, database.schema, 'all');
    await correctData(client, database.schema, order.corrections);
    const refused = new Map<string, EventError>();
    let total = await setUsers(client, ledger, order.userIds, order, refused);
    await swapValues(client, ledger.ours, refused, async (userIds) => {
      const still = new Map<string, EventError>();
      const counts = await setUsers(client, ledger, userIds, order, still);
      if (still.size === 0) total = sum(total, counts);
      return still.size === 0;
    });
    const unknown = await deleteUnknownRows(client, ledger.schema, ledger.mapper.table, order.unknown);
    return {
      ...sum(total, { ...NONE, deleted: unknown }),
      corrected: order.corrections.size,
      refused: [...refused].map(([userId, error]) => ({ userId, error })),
    };
  });
}

/** Sets the rows of users. Whom the table refuses is in `refused` then, and the row as it was. */
async function setUsers(
  client: PoolClient,
  ledger: Ledger,
  userIds: readonly string[],
  order: RepairOrder,
  refused: Map<string, EventError>,
): Promise<RepairCounts> {
  let total = NONE;
  let todo = userIds;
  // A row may be refused for what another one is about to give up (a unique value): again, while that helps.
  for (;;) {
    refused.clear();
    let done = 0;
    for await (const ids of portionsOf(client, ledger.schema, todo)) {
      const { wrong } = await examineUsers(client, ledger, ids, order.corrections);
      total = sum(total, await repairSome(client, ledger, wrong, order, refused));
      done += ids.length;
      order.onProgress(done, todo.length);
    }
    if (refused.size === 0 || refused.size === todo.length) return total;
    todo = [...refused.keys()];
  }
}

async function repairSome(
  client: PoolClient,
  ledger: Ledger,
  wrong: readonly WrongRow[],
  order: RepairOrder,
  refused: Map<string, EventError>,
): Promise<RepairCounts> {
  const [first] = wrong;
  if (first === undefined) return NONE;
  const outcome = await outcomeOf(ledger.ours, () =>
    savepoint(client, () => setRows(client, ledger, wrong, order)),
  );
  if (outcome.kind === 'done') return outcome.value;
  const refusal =
    outcome.kind === 'stale' ? outcome.refusal : outcome.kind === 'refused' ? outcome.error : null;
  if (refusal === null) throw notRefused(outcome);
  if (wrong.length === 1) {
    refused.set(first.userId, refusal);
    return NONE;
  }
  const half = Math.ceil(wrong.length / 2);
  const left = await repairSome(client, ledger, wrong.slice(0, half), order, refused);
  return sum(left, await repairSome(client, ledger, wrong.slice(half), order, refused));
}

/** Rows, the images behind them, and the audit trail. */
async function setRows(
  client: PoolClient,
  { schema, mapper }: Ledger,
  wrong: readonly WrongRow[],
  { operator, reason }: RepairOrder,
): Promise<RepairCounts> {
  const counts = await repairRows(client, schema, mapper.table, wrong);
  const images = wrong.flatMap((row) => row.images);
  await repairImages(client, schema, mapper.table, images);
  const attempts = wrong.map(({ lastEventId }): Attempt => ({
    eventId: lastEventId,
    status: 'applied',
    error: null,
    cause: 'fix',
    causedBy: null,
    operator,
    reason,
  }));
  await recordAttempts(client, schema, attempts);
  return counts;
}

const NONE: RepairCounts = { inserted: 0, updated: 0, deleted: 0 };

function sum(one: RepairCounts, other: RepairCounts): RepairCounts {
  return {
    inserted: one.inserted + other.inserted,
    updated: one.updated + other.updated,
    deleted: one.deleted + other.deleted,
  };
}
