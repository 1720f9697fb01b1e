import type { EventError } from '../../domain/column-values.ts';
import type { UserWrite } from '../../domain/row-change.ts';
import type { UsersTable } from '../../domain/users-table.ts';
import { textArray } from '../binary-array.ts';
import { quoteIdentifier, statementName } from '../sql-text.ts';
import { inTransaction, type Pool } from '../transaction.ts';
import { recordError } from './outcome.ts';
import { userWritesSql, type UserWritesSql } from './user-writes.ts';

/** A write of one event that the table refused. */
export interface RefusedWrite {
  /** Index in the writes given. */
  readonly index: number;
  readonly error: EventError;
}

/**
 * Tries writes one by one, in one call, and keeps nothing of them: says which of them the table refuses (DESIGN 4: many
 * refused events are found at the cost of one pass rather than by halves). What follows a refused write of the same
 * user is not tried. Throws what is no event's fault (a conflict, a lost connection, a database that is not right).
 */
export type ProbeEvents = (pool: Pool, writes: readonly UserWrite[]) => Promise<readonly RefusedWrite[]>;

interface ProbeRow {
  readonly index: number;
  readonly state: string;
  readonly message: string;
  readonly detail: string;
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  readonly constraint: string;
  readonly datatype: string;
}

/** The transaction that tries is always aborted: by this. */
class Tried extends Error {}

export function probeEvents(table: UsersTable): ProbeEvents {
  const users = userWritesSql(table);
  const types = ['text[]', ...users.parameterTypes];
  const name = statementName('probe', table.name).replaceAll(/\W/g, '_');
  const definition = probeFunction(name, types, users, table);
  const call = `select * from pg_temp.${name}(${types.map((type, i) => `$${String(i + 1)}::${type}`).join(', ')})`;

  return async (pool, writes) => {
    let rows: readonly ProbeRow[] = [];
    try {
      await inTransaction(pool, 'repeatable read', async (client) => {
        await client.query(definition);
        const placed = writes.map((write, at) => ({ ...write, at }));
        const values = [
          textArray(writes.map(({ userId }) => userId)),
          ...users.parameters(writes.length, placed),
        ];
        rows = (await client.query<ProbeRow>(call, values)).rows;
        throw new Tried();
      });
    } catch (error) {
      if (!(error instanceof Tried)) throw error;
    }
    return rows.map((row) => ({ index: row.index, error: recordError(row.state, factsOf(row)) }));
  };
}

/** The diagnostics of the server, as the driver would have given them: empty text means none. */
function factsOf(row: ProbeRow): Parameters<typeof recordError>[1] {
  const given = (text: string): string | undefined => (text === '' ? undefined : text);
  const { message } = row;
  return {
    message,
    detail: given(row.detail),
    schema: given(row.schema),
    table: given(row.table),
    column: given(row.column),
    constraint: given(row.constraint),
    dataType: given(row.datatype),
  };
}

/** A function of the session: PL/pgSQL alone can go on after an error without a round trip. */
function probeFunction(
  name: string,
  types: readonly string[],
  users: UserWritesSql,
  table: UsersTable,
): string {
  const parameters = types.map((type, index) => `p${String(index)} ${type}`).join(', ');
  const arrays = types.map((_, index) => `p${String(index)}`).join(', ');
  const columns = users.columnNames.split(', ').map((column) => `r.${quoteIdentifier(column)}`);
  const keys = table.keyConstraints.map((key) => `'${key.replaceAll("'", "''")}'`).join(', ');
  return `create or replace function pg_temp.${name}(${parameters})
  returns table (index int, state text, message text, detail text, schema text, "table" text, "column" text, "constraint" text, datatype text)
  language plpgsql as $probe$
  declare
    r record;
    refused text[] := '{}';
    unwritten boolean;
  begin
    for r in select * from unnest(${arrays}) with ordinality as a(user_id, ${users.columnNames}, n) loop
      continue when r.user_id = any (refused);
      begin
        with b as (select r.user_id as user_id, ${columns.map((column) => `${column} as ${column.slice(2)}`).join(', ')}),
        batch as materialized (select b.*, u.tid from b ${users.join}),
        ${users.writes}
        select ${users.isUnwritten} into unwritten from (select ${users.summary} from batch) s;
        if unwritten then
          raise exception using errcode = 'UE003', message = 'a trigger or policy kept a row from being written';
        end if;
      exception when others then
        -- A conflict, a shortage, a server going down: nobody's fault, told as it is.
        if sqlstate ~ '^(40|53|55P03|57|58|42|F0|XX|25)' then raise; end if;
        -- The key is taken: the user was made meanwhile, so the facts are stale.
        get stacked diagnostics "constraint" = constraint_name;
        if sqlstate = '23505' and "constraint" = any (array[${keys}]::text[]) then raise; end if;
        get stacked diagnostics state = returned_sqlstate, message = message_text, detail = pg_exception_detail,
          schema = schema_name, "table" = table_name, "column" = column_name, "constraint" = constraint_name,
          datatype = pg_datatype_name;
        refused := refused || r.user_id;
        index := r.n - 1;
        return next;
      end;
    end loop;
  end $probe$`;
}
