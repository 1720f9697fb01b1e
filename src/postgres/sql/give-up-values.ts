import type { UserColumn, UsersTable } from '../../domain/users-table.ts';
import { textArray } from '../binary-array.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';

/** What rows hold for a moment in place of values that each other wants: nothing; where that is refused, a value of nobody's. */
export const FILLERS = ['nothing', 'own'] as const;
export type Filler = (typeof FILLERS)[number];

/** Puts a filler into a column of some users' rows. Refused where the column does not take it. Locks the rows. */
export async function giveUpValues(
  db: Queryable,
  table: UsersTable,
  column: UserColumn,
  userIds: readonly string[],
  filler: Filler,
): Promise<void> {
  const value = filler === 'nothing' ? 'null' : `gen_random_uuid()::text::${column.castType}`;
  await db.query(
    `update ${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)} set ${quoteIdentifier(column.name)} = ${value}
     where ${quoteIdentifier(table.keyColumn)} = any ($1::text[]::${table.keyType}[])`,
    [textArray(userIds)],
  );
}
