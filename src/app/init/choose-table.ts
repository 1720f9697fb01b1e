import { UserEventsError } from '../../errors/user-events-error.ts';
import type { Queryable } from '../../postgres/pool.ts';
import { createUsersTable, DEFAULT_TABLE, isDefaultTable } from '../../postgres/sql/create-users-table.ts';
import type { TableBinding } from '../../postgres/sql/read-binding.ts';
import { readColumns, readRelation, type CatalogColumn } from '../../postgres/sql/read-catalog.ts';

/** What `init` was told of the service's own table; null where nothing was said. */
export interface TableRequest {
  readonly table: TableName | null;
  readonly keyColumn: string | null;
  readonly extraColumn: string | null;
  readonly createdColumn: string | null;
  readonly updatedColumn: string | null;
  readonly topic: string;
}

export interface TableName {
  readonly schema: string;
  readonly name: string;
}

/**
 * Reads `[schema.]name`. Names are as the catalog has them (no folding to lower case); a name with a dot in it is
 * written in double quotes. USAGE where it is neither.
 */
export function parseTableName(text: string): TableName {
  const part = '("(?:[^"]|"")+"|[^".]+)';
  const match = new RegExp(`^(?:${part}\\.)?${part}$`).exec(text);
  const name = match?.[2];
  if (name === undefined) {
    throw new UserEventsError(
      'USAGE',
      '--table takes [SCHEMA.]NAME, with names that have a dot in double quotes',
    );
  }
  return { schema: unquote(match?.[1] ?? DEFAULT_TABLE.usersSchema), name: unquote(name) };
}

/**
 * The table to bind to: the one named, else public.users, which is made where it is not there and nothing else was
 * said of it. What was not said of columns is taken from the catalog.
 */
export async function chooseTable(
  db: Queryable,
  request: TableRequest,
): Promise<{ readonly table: Omit<TableBinding, 'rules'>; readonly isCreated: boolean }> {
  const { schema, name } = request.table ?? {
    schema: DEFAULT_TABLE.usersSchema,
    name: DEFAULT_TABLE.usersTable,
  };
  const relation = await readRelation(db, schema, name);
  if (relation === null && isNothingSaid(request)) {
    await createUsersTable(db);
    return { table: DEFAULT_TABLE, isCreated: true };
  }
  const columns = relation === null ? [] : await readColumns(db, relation);
  const known = isDefaultTable(columns) ? DEFAULT_TABLE : null;
  const table = {
    usersSchema: schema,
    usersTable: name,
    keyColumn: request.keyColumn ?? known?.keyColumn ?? findKey(columns, schema, name),
    extraColumn: request.extraColumn ?? known?.extraColumn ?? null,
    createdColumn: request.createdColumn ?? known?.createdColumn ?? null,
    updatedColumn: request.updatedColumn ?? known?.updatedColumn ?? null,
  };
  return { table, isCreated: false };
}

function isNothingSaid({
  table,
  keyColumn,
  extraColumn,
  createdColumn,
  updatedColumn,
}: TableRequest): boolean {
  return [table, keyColumn, extraColumn, createdColumn, updatedColumn].every((said) => said === null);
}

/** `user_id` where the table has it, else the primary key. */
function findKey(columns: readonly CatalogColumn[], schema: string, name: string): string {
  const key =
    columns.find((column) => column.name === DEFAULT_TABLE.keyColumn) ??
    columns.find(({ isPrimaryKey }) => isPrimaryKey);
  if (key !== undefined) return key.name;
  if (columns.length === 0) {
    throw new UserEventsError('USERS_TABLE_INVALID', `There is no table ${schema}.${name}`, {
      hint: 'Name an existing table with --table, or leave it out to have public.users made.',
    });
  }
  throw new UserEventsError(
    'USERS_TABLE_INVALID',
    `${schema}.${name} has no user_id and no primary key of one column`,
    {
      hint: `Name its key with --key-column: ${columns.map((column) => column.name).join(', ')}.`,
    },
  );
}

function unquote(part: string): string {
  return part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part;
}
