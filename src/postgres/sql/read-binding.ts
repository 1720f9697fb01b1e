import type { Rules } from '../../domain/event.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import { describeSqlError } from '../errors.ts';
import { knownAddress } from '../known-address.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';

/** What `init` recorded of the service's own table, and the rules of execution. */
export interface TableBinding {
  readonly rules: Rules;
  readonly usersSchema: string;
  readonly usersTable: string;
  readonly keyColumn: string;
  /** The jsonb column for fields without a column; null where there is none. */
  readonly extraColumn: string | null;
  /** Columns that take the event's own time; null where there are none. */
  readonly createdColumn: string | null;
  readonly updatedColumn: string | null;
}

/** The row that says what belongs together (DESIGN 4). What follows `boundAt` is null until the first `consume`. */
export interface Binding extends TableBinding {
  /** Identity of this ledger: carried by the commits of its group. */
  readonly schemaId: string;
  readonly generation: number;
  readonly boundAt: Date | null;
  readonly clusterId: string | null;
  readonly topic: string | null;
  readonly partitionCount: number | null;
  readonly consumerGroup: string | null;
}

/** Reads the one row. NOT_INITIALISED where the schema, its tables or the row are not there. */
export async function readBinding(db: Queryable, schema: string): Promise<Binding> {
  const binding = await findBinding(db, schema);
  if (binding !== null) return binding;
  const address = knownAddress(db);
  const place = address === null ? 'There is' : `${address} has`;
  throw new UserEventsError('NOT_INITIALISED', `${place} no ledger in schema ${schema}`);
}

/** The same, null where it is not there. Does not abort a transaction only where the tables are there. */
export async function findBinding(db: Queryable, schema: string): Promise<Binding | null> {
  try {
    const { rows } =
      await db.query<Binding>(`select schema_id as "schemaId", rules, users_schema as "usersSchema",
        users_table as "usersTable", key_column as "keyColumn", extra_column as "extraColumn",
        created_column as "createdColumn", updated_column as "updatedColumn", cluster_id as "clusterId", topic,
        partition_count as "partitionCount", consumer_group as "consumerGroup", generation, bound_at as "boundAt"
      from ${quoteIdentifier(schema)}.binding`);
    return rows[0] ?? null;
  } catch (error) {
    // undefined_table, invalid_schema_name.
    const { sqlState } = describeSqlError(error);
    if (sqlState === '42P01' || sqlState === '3F000') return null;
    throw error;
  }
}
