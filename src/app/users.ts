import type { EventError } from '../domain/column-values.ts';
import type { JsonObject } from '../domain/event.ts';
import type { HistoryEntry } from '../domain/history.ts';
import { RawJson } from '../domain/raw-json.ts';
import { userIdFault } from '../domain/user-id.ts';
import { fieldNamesOf, type UsersTable } from '../domain/users-table.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import type { Database } from '../postgres/pool.ts';
import { findUsersTable } from '../postgres/sql/find-users-table.ts';
import { readBinding } from '../postgres/sql/read-binding.ts';
import { readHistories } from '../postgres/sql/read-history.ts';
import {
  readUser,
  readUsers,
  type UserFilter,
  type UserRow,
  type UserSort,
} from '../postgres/sql/read-users.ts';

/** A user as this service's table has it. */
export interface User {
  readonly userId: string;
  /** The row, every column by its name. */
  readonly row: RawJson;
}

/** A user's row for people: columns and their texts as PostgreSQL prints them. */
export interface UserText {
  readonly columns: readonly string[];
  readonly texts: readonly (string | null)[];
}

export interface UsersRequest {
  /** `field=value` each; a field is a column's name or its camelCase. */
  readonly where: readonly string[];
  readonly limit: number;
  /** Only users behind this id, in the order of the key. */
  readonly after: string | null;
  /** `field` or `field:desc`: by that field, then by the key. Null: by the key. */
  readonly sort: string | null;
  /** So many of what is chosen are passed over: the way on where `sort` is given. */
  readonly skip: number;
}

export interface UsersList {
  readonly columns: readonly string[];
  readonly users: readonly (User & { readonly texts: UserText['texts'] })[];
  /** How to go on: behind this id, or by so many more; null where there are no more. */
  readonly next: { readonly after: string } | { readonly skip: number } | null;
}

/**
 * Lists users in the order of their keys. Throws NOT_INITIALISED, USERS_TABLE_INVALID, and USAGE for a filter or id
 * that the table cannot be asked for.
 */
export async function listUsers(database: Database, request: UsersRequest): Promise<UsersList> {
  const table = await readTable(database);
  const filters = request.where.map((condition) => parseFilter(condition, table));
  if (request.after !== null) checkUserId(request.after, table, '--offset-id');
  const columns = shownColumns(table);
  // One more than asked for tells whether there are more.
  const sort = request.sort === null ? null : parseSort(request.sort, table);
  const { after, skip } = request;
  const page = { columns, filters, after, sort, skip, limit: request.limit + 1 };
  const rows = await readUsers(database.pool, table, page);
  const users = rows.slice(0, request.limit).map((row) => ({ ...toUser(row), texts: row.texts }));
  const last = users.at(-1);
  if (rows.length <= request.limit || last === undefined) return { columns, users, next: null };
  return { columns, users, next: sort === null ? { after: last.userId } : { skip: skip + users.length } };
}

export interface UserDetails {
  readonly userId: string;
  /** Null where there is no row (asked for with the history alone). */
  readonly row: RawJson | null;
  /** The user's events in the order of the ledger; absent where they were not asked for. */
  readonly history?: readonly UserEvent[];
}

/** One event of a user's history, as `--json` prints it. */
export interface UserEvent {
  readonly eventId: string;
  readonly partition: number;
  readonly offset: bigint;
  /** ISO 8601: when it was published. */
  readonly timestamp: string;
  /** Null where the record cannot be read or is ignored. */
  readonly operation: string | null;
  readonly status: string;
  /** What it carries, without the user id; null where that was pruned or cannot be read. */
  readonly fields: JsonObject | null;
  /** The events that it withdraws, for an accepted rollback. */
  readonly withdraws: readonly string[] | null;
  /** The failed event that it waits behind, for `parked`. */
  readonly blockedBy: string | null;
  readonly error: EventError | null;
}

/**
 * One user. USER_ROW_NOT_FOUND where there is no row; with the history, where there is neither row nor event.
 */
export async function getUser(
  database: Database,
  userId: string,
  withHistory: boolean,
): Promise<{ readonly details: UserDetails; readonly text: UserText | null }> {
  const table = await readTable(database);
  checkUserId(userId, table, 'The user id');
  const columns = shownColumns(table);
  const row = await readUser(database.pool, table, columns, userId);
  const isHistoryNeeded = withHistory || row === null;
  const histories = isHistoryNeeded ? await readHistories(database.pool, database.schema, [userId]) : null;
  const history = histories?.get(userId) ?? [];
  if (row === null && (!withHistory || history.length === 0)) throw notFound(userId, history);
  return {
    details: {
      userId,
      row: row === null ? null : toUser(row).row,
      ...(withHistory ? { history: history.map(toUserEvent) } : {}),
    },
    text: row === null ? null : { columns, texts: row.texts },
  };
}

async function readTable({ pool, schema }: Database): Promise<UsersTable> {
  return findUsersTable(pool, await readBinding(pool, schema));
}

function toUser(row: UserRow): User {
  return { userId: row.userId, row: new RawJson(row.json) };
}

function toUserEvent(entry: HistoryEntry): UserEvent {
  const { eventId, partition, offset, operation, status, fields, withdraws, blockedBy, error } = entry;
  const timestamp = new Date(entry.timestamp).toISOString();
  return { eventId, partition, offset, timestamp, operation, status, fields, withdraws, blockedBy, error };
}

/** The key first. */
function shownColumns({ keyColumn, writableColumns }: UsersTable): readonly string[] {
  return [keyColumn, ...writableColumns.filter((column) => column !== keyColumn)];
}

function checkUserId(userId: string, table: UsersTable, what: string): void {
  const fault = userIdFault(userId, table.keyType);
  if (fault !== null) throw new UserEventsError('USAGE', `${what} cannot be one of this table: ${fault}`);
}

function parseFilter(condition: string, table: UsersTable): UserFilter {
  const at = condition.indexOf('=');
  if (at < 1) throw new UserEventsError('USAGE', '--where takes FIELD=VALUE');
  const field = condition.slice(0, at);
  const column = columnOf(field, table, `--where ${field}=…`);
  return {
    column: column.name,
    castType: column.castType,
    isJson: column.isJson,
    value: condition.slice(at + 1),
  };
}

function parseSort(text: string, table: UsersTable): UserSort {
  const [, field = text, direction] = /^(.*?)(?::(asc|desc))?$/s.exec(text) ?? [];
  const column = columnOf(field, table, `--sort ${text}`);
  return { column: column.name, isDescending: direction === 'desc' };
}

function columnOf(field: string, table: UsersTable, asked: string): ComparableColumn {
  const column = comparableColumns(table).find(({ name }) => name === field) ?? camelCaseColumn(table, field);
  if (column !== undefined) return column;
  const known = comparableColumns(table).map(({ name }) => name);
  throw new UserEventsError('USAGE', `${table.schema}.${table.name} has no column for ${asked}`, {
    hint: `It has ${known.join(', ')}.`,
  });
}

interface ComparableColumn {
  readonly name: string;
  readonly castType: string;
  readonly isJson: boolean;
}

function comparableColumns(table: UsersTable): readonly ComparableColumn[] {
  const stamps = [table.createdColumn, table.updatedColumn].filter((name) => name !== null);
  return [
    { name: table.keyColumn, castType: table.keyType, isJson: false },
    ...table.columns.map(({ name, castType, form }) => ({ name, castType, isJson: form === 'json' })),
    ...stamps.map((name) => ({ name, castType: 'pg_catalog.timestamptz', isJson: false })),
  ];
}

function camelCaseColumn(table: UsersTable, field: string): ComparableColumn | undefined {
  return comparableColumns(table).find(({ name }) => fieldNamesOf(name).includes(field));
}

function notFound(userId: string, history: readonly HistoryEntry[]): UserEventsError {
  const message = `There is no user ${userId}`;
  if (history.length === 0) return new UserEventsError('USER_ROW_NOT_FOUND', message);
  return new UserEventsError('USER_ROW_NOT_FOUND', message, {
    hint: `The ledger has ${String(history.length)} of its events: \`user-events users get ${userId} --history\`.`,
  });
}
