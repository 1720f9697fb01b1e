import type { UsersTable } from '../../domain/users-table.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';

export interface UnknownRows {
  /** All rows of the table. */
  readonly rows: number;
  readonly unknown: number;
  readonly userIds: readonly string[];
}

/**
 * Counts the table's rows, and those of which the log knows nothing: the ledger has no event of the user. Names them
 * where they are asked for, in the order of the key. No locks.
 */
export async function findUnknownRows(
  db: Queryable,
  schema: string,
  table: UsersTable,
  isNamed: boolean,
): Promise<UnknownRows> {
  const key = `t.${quoteIdentifier(table.keyColumn)}`;
  const target = `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`;
  const isUnknown = `not exists (select from ${quoteIdentifier(schema)}.ledger l
    where l.user_id = ${key}::text)`;
  const counted = await db.query<{ rows: bigint; unknown: bigint }>(
    `select count(*) as unknown, (select count(*) from ${target}) as rows from ${target} t where ${isUnknown}`,
  );
  const [count] = counted.rows;
  const unknown = Number(count?.unknown ?? 0);
  const named =
    unknown === 0 || !isNamed
      ? []
      : (
          await db.query<{ id: string }>(
            `select ${key}::text as id from ${target} t where ${isUnknown} order by ${key}`,
          )
        ).rows;
  return { rows: Number(count?.rows ?? 0), unknown, userIds: named.map(({ id }) => id) };
}
