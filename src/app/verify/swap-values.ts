import type { EventError } from '../../domain/column-values.ts';
import type { UserColumn, UsersTable } from '../../domain/users-table.ts';
import { FILLERS, giveUpValues } from '../../postgres/sql/give-up-values.ts';
import { outcomeOf, type Ours } from '../../postgres/sql/outcome.ts';
import { readConstraint } from '../../postgres/sql/read-constraint.ts';
import { savepoint, type PoolClient } from '../../postgres/transaction.ts';

/** unique_violation */
const TAKEN = '23505';

/** Sets the rows of users; false where the table refuses one of them still. */
type SetRows = (userIds: readonly string[]) => Promise<boolean>;

/** Nothing of an attempt is kept. */
class RefusedStill extends Error {}

/**
 * Rows that hold each other's unique values cannot be set one after the other: for each unique constraint that refuses
 * several users, all of them give up one of its values first, and then they are set. Those whose rows are set leave
 * `refused`; of others nothing is kept. In the caller's transaction.
 */
export async function swapValues(
  client: PoolClient,
  ours: Ours,
  refused: Map<string, EventError>,
  setRows: SetRows,
): Promise<void> {
  for (const [constraint, userIds] of takenBy(refused)) {
    if (userIds.length < 2) continue;
    const column = await columnOf(client, ours.table, constraint);
    if (column === null) continue;
    for (const filler of FILLERS) {
      const attempt = async (): Promise<void> => {
        await giveUpValues(client, ours.table, column, userIds, filler);
        if (!(await setRows(userIds))) throw new RefusedStill();
      };
      if (!(await holds(client, ours, attempt))) continue;
      for (const userId of userIds) refused.delete(userId);
      break;
    }
  }
}

/** Runs an attempt behind a savepoint. False where it was refused. */
async function holds(client: PoolClient, ours: Ours, attempt: () => Promise<void>): Promise<boolean> {
  try {
    const outcome = await outcomeOf(ours, () => savepoint(client, attempt));
    return outcome.kind === 'done';
  } catch (error) {
    if (error instanceof RefusedStill) return false;
    throw error;
  }
}

function takenBy(refused: ReadonlyMap<string, EventError>): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, string[]>();
  for (const [userId, { sqlState, detail }] of refused) {
    const constraint = detail?.['constraint'];
    if (sqlState !== TAKEN || typeof constraint !== 'string') continue;
    users.set(constraint, [...(users.get(constraint) ?? []), userId]);
  }
  return users;
}

/** A column of a unique constraint that events can carry, other than the key. */
async function columnOf(
  client: PoolClient,
  { schema, name, columns }: UsersTable,
  constraint: string,
): Promise<UserColumn | null> {
  const found = await readConstraint(client, { schema, table: name, constraint });
  return columns.find((column) => found?.columns.includes(column.name)) ?? null;
}
