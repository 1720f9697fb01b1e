import type { UsersTable } from '../../domain/users-table.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier, quoteLiteral } from '../sql-text.ts';

/** One partition's users, as a number that does not depend on their order and tells nothing of them. */
export interface PartitionDigest {
  readonly partition: number;
  readonly users: number;
  /** 30 hexadecimal digits: the sum, modulo 2^120, of the first 120 bits of every row's SHA-256. */
  readonly digest: string;
}

/**
 * Digests the rows of users that the ledger knows, by the partition of their newest event. A row counts as its key and
 * the columns named, each under its name without case and underscores and as jsonb prints its value: so services whose
 * tables spell or order columns otherwise, or have more of them, come to the same number. No locks.
 */
export async function digestUsers(
  db: Queryable,
  schema: string,
  table: UsersTable,
  columns: readonly string[],
): Promise<readonly PartitionDigest[]> {
  const plain = (name: string): string => name.toLowerCase().replaceAll('_', '');
  const isAlone = (name: string): boolean =>
    columns.filter((other) => plain(other) === plain(name)).length === 1;
  const fields = columns.map(
    (name) =>
      `jsonb_build_object(${quoteLiteral(isAlone(name) ? plain(name) : name)}, to_jsonb(t.${quoteIdentifier(name)}))`,
  );
  const row = `jsonb_build_array(t.${quoteIdentifier(table.keyColumn)}::text, ${[`'{}'::jsonb`, ...fields].join(' || ')})::text`;
  // Halves of 60 bits: the sum of a column of int8 is numeric, which does not overflow.
  const half = (from: number): string => `('x' || substr(h, ${String(from)}, 15))::bit(60)::int8`;
  const text = `with hashed as (
      select l.partition, encode(sha256(convert_to(${row}, 'UTF8')), 'hex') as h
      from ${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)} t
      join (select distinct on (user_id) user_id, partition from ${quoteIdentifier(schema)}.ledger
        where user_id is not null order by user_id, generation desc, "offset" desc) l
      on l.user_id = t.${quoteIdentifier(table.keyColumn)}::text)
    select partition, count(*)::int as users, sum(${half(1)})::text as high, sum(${half(16)})::text as low
    from hashed group by partition order by partition`;
  await db.query(`set local timezone = 'UTC'`);
  const { rows } = await db.query<{ partition: number; users: number; high: string; low: string }>(text);
  return rows.map(({ partition, users, high, low }) => ({
    partition,
    users,
    digest: hex60(BigInt(high)) + hex60(BigInt(low)),
  }));
}

function hex60(sum: bigint): string {
  return BigInt.asUintN(60, sum).toString(16).padStart(15, '0');
}
