import { columnMapper } from '../../src/domain/column-values.ts';
import type { CudEvent, CudOperation, JsonObject } from '../../src/domain/event.ts';
import type { UsersTable } from '../../src/domain/users-table.ts';

/** A users table as `init` makes it, for tests without a database. */
const USERS_TABLE: UsersTable = {
  schema: 'public',
  name: 'users',
  keyColumn: 'user_id',
  keyType: 'text',
  keyConstraints: ['users_pkey'],
  columns: [
    { name: 'name', castType: 'pg_catalog.text', form: 'scalar', defaultExpression: null },
    { name: 'home_town', castType: 'pg_catalog.text', form: 'scalar', defaultExpression: null },
    { name: 'tags', castType: 'pg_catalog.text[]', form: 'array', defaultExpression: null },
    { name: 'attributes', castType: 'pg_catalog.jsonb', form: 'json', defaultExpression: "'{}'::jsonb" },
  ],
  extraColumn: 'attributes',
  createdColumn: null,
  updatedColumn: null,
  writableColumns: ['user_id', 'name', 'home_town', 'tags', 'attributes'],
};

export const MAPPER = columnMapper(USERS_TABLE);
/** The same table without a column for extra fields. */
export const STRICT_MAPPER = columnMapper({ ...USERS_TABLE, extraColumn: null });

/** An event at an offset of partition 0; its id is the offset, as text. */
export function event(
  offset: number,
  operation: CudOperation,
  userId: string,
  fields: JsonObject = {},
): CudEvent {
  return {
    kind: 'cud',
    eventId: `e${String(offset)}`,
    ceId: null,
    source: '/test',
    isIdDerived: false,
    partition: 0,
    offset: BigInt(offset),
    timestamp: offset,
    operation,
    userId,
    fields,
    value: Buffer.from(JSON.stringify({ userId, ...fields })),
  };
}
