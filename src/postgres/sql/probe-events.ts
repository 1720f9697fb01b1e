import type { EventError } from '../../domain/column-values.ts';
import type { UserWrite } from '../../domain/row-change.ts';
import type { UsersTable } from '../../domain/users-table.ts';
import { textArray } from '../binary-array.ts';
import { statementName } from '../sql-text.ts';
import { inTransaction, savepoint, type Pool, type PoolClient } from '../transaction.ts';
import { recordError } from './outcome.ts';
import { userWritesSql, type UserWritesSql } from './user-writes.ts';

/** A write of one event that the table refused. */
export interface RefusedWrite {
  /** Index in the writes given. */
  readonly index: number;
  readonly error: EventError;
}

/**
 * Tries writes in one call, and keeps nothing of them: says which of them the table refuses (DESIGN 4: many refused
 * events are found at the cost of one pass rather than by halves). They are tried a few at once, and one by one where the
 * few are refused. What follows a refused write of the same user is not tried. Throws what is no event's fault (a
 * conflict, a lost connection, a database that is not right).
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

/**
 * Writes that are tried at once: where one in a hundred is refused a statement for eight to twenty costs least, a third of
 * one for each (measured: docs/performance.md).
 */
const TRIED_AT_ONCE = 16;

/** What was tried is always undone: by this. */
class Tried extends Error {}

function rethrowUnlessTried(error: unknown): void {
  if (!(error instanceof Tried)) throw error;
}

async function isMissing(client: PoolClient, signature: string): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>('select to_regprocedure($1) is not null as found', [
    signature,
  ]);
  return rows[0]?.found !== true;
}

export function probeEvents(table: UsersTable): ProbeEvents {
  const users = userWritesSql(table);
  const types = ['int[]', 'text[]', ...users.parameterTypes];
  const body = probeBody(types, users, table);
  // Of its text: a users table may change while a connection lives.
  const name = `pg_temp.${statementName('probe', body).replaceAll(/\W/g, '_')}`;
  const signature = `${name}(${types.join(', ')})`;
  const call = `select * from ${name}(${types.map((type, i) => `$${String(i + 1)}::${type}`).join(', ')})`;

  return async (pool, writes) => {
    let rows: readonly ProbeRow[] = [];
    try {
      await inTransaction(pool, 'repeatable read', async (client) => {
        const isNew = await isMissing(client, signature);
        if (isNew) await client.query(`create function ${signature} ${body}`);
        const placed = writes.map((write, at) => ({ ...write, at }));
        const values = [
          endsOfRuns(writes),
          textArray(writes.map(({ userId }) => userId)),
          ...users.parameters(writes.length, placed),
        ];
        const attempt = savepoint(client, async () => {
          rows = (await client.query<ProbeRow>(call, values)).rows;
          throw new Tried();
        });
        // Aborted as a whole, unless the function is to stay: compiling and planning it costs as much as a call.
        await (isNew ? attempt.catch(rethrowUnlessTried) : attempt);
      });
    } catch (error) {
      rethrowUnlessTried(error);
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

/** Where what can be tried at once ends, from 1: one statement can write a row of the table once. */
function endsOfRuns(writes: readonly UserWrite[]): number[] {
  const ends: number[] = [];
  const users = new Set<string>();
  for (const [index, { userId }] of writes.entries()) {
    if (users.size === TRIED_AT_ONCE || users.has(userId)) {
      ends.push(index);
      users.clear();
    }
    users.add(userId);
  }
  if (writes.length > 0) ends.push(writes.length);
  return ends;
}

/** A function of the session: PL/pgSQL alone can go on after an error without a round trip. Its parameters are `$1`… */
function probeBody(types: readonly string[], users: UserWritesSql, table: UsersTable): string {
  const slices = types.map((_, index) => `$${String(index + 1)}[at:till]`).slice(1);
  return `returns table (index int, state text, message text, detail text, schema text, "table" text, "column" text, "constraint" text, datatype text)
  language plpgsql as $probe$
  declare
    stop int;
    at int := 1;
    till int;
    refused text[] := '{}';
    unwritten boolean;
  begin
    foreach stop in array $1 loop
      till := stop;
      while at <= stop loop
        begin
          with b as (
            select * from unnest(${slices.join(', ')}) as a(user_id, ${users.columnNames})
            where user_id <> all (refused)),
          batch as materialized (select b.*, u.tid from b ${users.join}),
          ${users.writes}
          select ${users.isUnwritten} into unwritten from (select ${users.summary} from batch) s;
          if unwritten then
            raise exception using errcode = 'UE003', message = 'a trigger or policy kept a row from being written';
          end if;
          at := till + 1;
          if till < stop then till := at; end if;
        exception when others then
          -- A conflict, a shortage, a server going down: nobody's fault, told as it is.
          if sqlstate ~ '^(40|53|55P03|57|58|42|F0|XX|25)' then raise; end if;
          if till > at then
            till := at;
            continue;
          end if;
          ${diagnosticsSql(table)}
          refused := refused || $2[at];
          index := at - 1;
          at := at + 1;
          till := at;
          return next;
        end;
      end loop;
    end loop;
  end $probe$`;
}

/** Fills the columns of the answer from the error at hand. */
function diagnosticsSql(table: UsersTable): string {
  const keys = table.keyConstraints.map((key) => `'${key.replaceAll("'", "''")}'`).join(', ');
  return `get stacked diagnostics state = returned_sqlstate, message = message_text, detail = pg_exception_detail,
            schema = schema_name, "table" = table_name, "column" = column_name, "constraint" = constraint_name,
            datatype = pg_datatype_name;
          -- The key is taken: the user was made meanwhile, so the facts are stale.
          if sqlstate = '23505' and "constraint" = any (array[${keys}]::text[]) then raise; end if;`;
}
