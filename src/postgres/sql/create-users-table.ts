import type { TableBinding } from './read-binding.ts';
import type { CatalogColumn } from './read-catalog.ts';
import type { Queryable } from '../pool.ts';

/** The table that `init` makes where the service has none, as the binding records it. */
export const DEFAULT_TABLE: Omit<TableBinding, 'rules'> = {
  usersSchema: 'public',
  usersTable: 'users',
  keyColumn: 'user_id',
  extraColumn: 'attributes',
  createdColumn: 'created_at',
  updatedColumn: 'updated_at',
};

/** Its columns and their types, in order. */
const DEFAULT_COLUMNS: readonly (readonly [name: string, type: string])[] = [
  ['user_id', 'text'],
  ['name', 'text'],
  ['email', 'text'],
  ['attributes', 'jsonb'],
  ['created_at', 'timestamptz'],
  ['updated_at', 'timestamptz'],
];

/** Makes the default table. Fails where a relation of its name is there. */
export async function createUsersTable(db: Queryable): Promise<void> {
  await db.query(`create table public.users (
    user_id text constraint users_pkey primary key,
    name text,
    email text,
    attributes jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
  )`);
}

/** True for a table that an earlier `init` made: its times are the events', and it takes extra fields. */
export function isDefaultTable(columns: readonly CatalogColumn[]): boolean {
  return (
    columns.length === DEFAULT_COLUMNS.length &&
    DEFAULT_COLUMNS.every(([name, type], at) => columns[at]?.name === name && columns[at].baseType === type)
  );
}
