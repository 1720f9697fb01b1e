import type { EventError } from '../../domain/column-values.ts';
import type { JsonObject } from '../../domain/event.ts';
import { classify, eventErrorCode, isConnectionLoss } from '../../domain/failure.ts';
import type { UsersTable } from '../../domain/users-table.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import { CommitRefusedError, CommitUnknownError } from '../transaction.ts';
import { describeSqlError, isClosedDatabase, type SqlErrorFacts } from '../errors.ts';

// Use cases read outcomes here; telling an error that means "nobody there" from the rest is part of it.
export { isConflict, isTransient, toUserEventsError } from '../errors.ts';

/** What became of a statement that executes events. Expected outcomes are values; only bugs are thrown. */
export type Outcome<T> =
  | { readonly kind: 'done'; readonly value: T }
  /** The server refused for now, or could not be reached before the statement was sent: nothing was kept, try again. */
  | { readonly kind: 'transient'; readonly error: Error }
  /** The connection broke under way: the position tells whether it was committed. */
  | { readonly kind: 'unknown'; readonly error: Error }
  | { readonly kind: 'fenced' }
  /** Something that the fold assumed does not hold: read the facts and fold again. */
  | {
      readonly kind: 'stale';
      readonly error: Error;
      /** What it is where fresh facts do not help: the users table's own refusal. Null: ours, or a race. */
      readonly refusal: EventError | null;
    }
  /** An event of the batch is refused by the user's own table. */
  | { readonly kind: 'refused'; readonly error: EventError }
  /** statement_timeout or a cancel: the events' fault only where one stands alone and it happens again. */
  | { readonly kind: 'cancelled'; readonly error: EventError }
  /** The database is not what it has to be: stop with this error. */
  | { readonly kind: 'stop'; readonly error: UserEventsError };

/** The error behind an outcome of a statement that only reads, or repairs under the lock, and was not refused. */
export function notRefused(outcome: Exclude<Outcome<unknown>, { kind: 'done' }>): Error {
  if (outcome.kind === 'fenced') return new Error('it claims nothing, so it cannot be fenced');
  const { error } = outcome;
  return error instanceof Error ? error : new Error(error.message);
}

/** What is ours in the database, so that an error can be told from the user's. */
export interface Ours {
  readonly schema: string;
  readonly table: UsersTable;
  readonly address: string;
}

/** Runs `work` and turns what the server says into an outcome, by SQLSTATE and place, never by text. */
export async function outcomeOf<T>(ours: Ours, work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { kind: 'done', value: await work() };
  } catch (error) {
    // Under a test runner, errors of Node's own are of another realm and no instance of this one's Error.
    return outcomeOfError(ours, error instanceof Error ? error : new Error(String(error), { cause: error }));
  }
}

function outcomeOfError(ours: Ours, error: Error): Outcome<never> {
  // Translated already, by the log: no word of this database.
  if (error instanceof UserEventsError) throw error;
  if (error instanceof CommitUnknownError) return { kind: 'unknown', error };
  if (error instanceof CommitRefusedError) return { kind: 'transient', error };
  const facts = describeSqlError(error);
  const state = facts.sqlState;
  if (state === undefined) {
    if (facts.isBeforeSend) return { kind: 'transient', error };
    if (isConnectionLoss(facts.nodeCode) || facts.isConnectionLoss) return { kind: 'unknown', error };
    throw error;
  }
  if (isClosedDatabase(facts)) return { kind: 'transient', error };
  if (state === 'UE003') return { kind: 'refused', error: recordError(state, facts) };
  const { schema: usersSchema, name: usersTable, keyConstraints: usersKeyConstraints } = ours.table;
  const names = { ledgerSchema: ours.schema, usersSchema, usersTable, usersKeyConstraints };
  const verdict = classify(state, facts, names);
  switch (verdict) {
    case 'transient':
      // A server that goes away may have committed before it said so.
      return { kind: state.startsWith('57P') || state.startsWith('08') ? 'unknown' : 'transient', error };
    case 'fenced':
      return { kind: 'fenced' };
    case 'stale':
      return {
        kind: 'stale',
        error,
        refusal: state === '23505' && isUsers(facts, ours) ? recordError(state, facts) : null,
      };
    case 'record':
      return { kind: 'refused', error: recordError(state, facts) };
    case 'timeout':
      return { kind: 'cancelled', error: recordError(state, facts) };
    case 'environment':
      return { kind: 'stop', error: refusedBy(error, ours) };
    case 'bug':
      // A SQLSTATE of a trigger's own, say: the event is to blame once it stands alone. What is ours, or the server's, is not.
      if (facts.schema !== ours.schema && !/^(?:25|2D|08|57)/.test(state)) {
        return { kind: 'refused', error: recordError(state, facts) };
      }
      throw new UserEventsError('UNEXPECTED', `PostgreSQL answered with ${state}: ${error.message}`, {
        cause: error,
      });
  }
}

function refusedBy(error: Error, ours: Ours): UserEventsError {
  return new UserEventsError('DATABASE_REFUSED', `${ours.address}: ${error.message}`, { cause: error });
}

function isUsers(facts: Pick<SqlErrorFacts, 'schema' | 'table'>, { table }: Ours): boolean {
  return facts.schema === table.schema && facts.table === table.name;
}

/** What the server says of a refusal: the driver's error has it, and so have the diagnostics of a probe. */
type Refusal = Pick<
  SqlErrorFacts,
  'message' | 'detail' | 'schema' | 'table' | 'column' | 'constraint' | 'dataType'
>;

/** The server's words, kept for `trace`: constraint, column and the offending value are in them. */
export function recordError(state: string, facts: Refusal): EventError {
  const detail: JsonObject = {};
  for (const name of ['schema', 'table', 'column', 'constraint', 'dataType', 'detail'] as const) {
    const said = facts[name];
    if (said !== undefined) detail[name] = said.toWellFormed().replaceAll('\0', '\uFFFD');
  }
  if (state === 'UE003') return { code: 'DATABASE_TRIGGER', sqlState: state, message: facts.message };
  return { code: eventErrorCode(state), sqlState: state, message: facts.message, detail };
}
