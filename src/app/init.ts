import type { Rules } from '../domain/event.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import type { EventLog } from '../log/event-log.ts';
import type { Database, Queryable } from '../postgres/pool.ts';
import { chooseTable, type TableRequest } from './init/choose-table.ts';
import { findUsersTable } from '../postgres/sql/find-users-table.ts';
import { findBinding, type Binding, type TableBinding } from '../postgres/sql/read-binding.ts';
import { requireUtf8 } from '../postgres/sql/read-server.ts';
import { replaceBinding, writeBinding } from '../postgres/sql/write-binding.ts';
import { inTransaction } from '../postgres/transaction.ts';

export interface InitRequest extends TableRequest {
  /** Null where nothing was said: strict, or what is recorded. */
  readonly rules: Rules | null;
  /** Partitions of the topic, where it is made. */
  readonly partitions: number;
  /** The topic that failed events are also written to; null: none. It is made like the other one. */
  readonly deadLetters: EventLog | null;
}

export interface InitDependencies {
  readonly database: Database;
  readonly log: EventLog;
  /** Brings the ledger's schema up to this version; gives back what was run. */
  readonly migrateLedger: () => Promise<{ readonly applied: readonly string[] }>;
}

export interface InitResult {
  /** `host:port/database` and the ledger's schema in it. */
  readonly database: string;
  readonly schema: string;
  /** Migrations of the ledger that were run now; empty where all was there. */
  readonly migrations: readonly string[];
  readonly table: string;
  readonly tableCreated: boolean;
  /** Something else had been set up, and nothing was consumed yet: it was changed. */
  readonly isChanged: boolean;
  readonly keyColumn: string;
  readonly columns: readonly string[];
  readonly extraColumn: string | null;
  readonly createdColumn: string | null;
  readonly updatedColumn: string | null;
  readonly rules: Rules;
  readonly log: string;
  readonly topic: string;
  readonly topicCreated: boolean;
  readonly partitions: number;
  /** Null where none is configured. */
  readonly deadLetterTopic: string | null;
  readonly deadLetterTopicCreated: boolean;
}

/**
 * Sets up one service: the ledger's schema, the binding to the service's own table (which is made where there is none
 * and never altered), the topic. Safe to repeat: what is there stays. What was chosen first is corrected as long as
 * nothing was consumed; afterwards BINDING_MISMATCH where another table or other rules are recorded. Throws USERS_TABLE_INVALID, DATABASE_ENCODING, and what the two engines throw.
 */
export async function initialise(dependencies: InitDependencies, request: InitRequest): Promise<InitResult> {
  const { database, log } = dependencies;
  await requireUtf8(database.pool);
  const ledger = await dependencies.migrateLedger();
  // Binding and table are kept only where the log could be set up as well: a second run may then ask for others.
  const { bound, made, letters } = await inTransaction(database.pool, 'read committed', async (client) => ({
    bound: await bind(client, database.schema, request),
    made: await makeTopic(log, request.partitions),
    letters: request.deadLetters === null ? null : await makeTopic(request.deadLetters, request.partitions),
  }));
  const { binding, columns, tableCreated, isChanged } = bound;
  return {
    database: database.address,
    schema: database.schema,
    migrations: ledger.applied,
    table: `${binding.usersSchema}.${binding.usersTable}`,
    tableCreated,
    isChanged,
    keyColumn: binding.keyColumn,
    columns,
    extraColumn: binding.extraColumn,
    createdColumn: binding.createdColumn,
    updatedColumn: binding.updatedColumn,
    rules: binding.rules,
    log: log.address,
    topic: made.topic,
    topicCreated: made.isCreated,
    partitions: made.partitions,
    deadLetterTopic: letters?.topic ?? null,
    deadLetterTopicCreated: letters?.isCreated ?? false,
  };
}

interface MadeTopic {
  readonly topic: string;
  readonly isCreated: boolean;
  readonly partitions: number;
}

/** Where the log is PostgreSQL, this brings its tables up to this version as well. */
async function makeTopic(log: EventLog, partitions: number): Promise<MadeTopic> {
  const outcome = await log.createTopic(partitions);
  const { topic, partitionCount } = await log.describe();
  return { topic, isCreated: outcome === 'created', partitions: partitionCount };
}

interface Bound {
  readonly binding: TableBinding;
  readonly columns: readonly string[];
  readonly tableCreated: boolean;
  readonly isChanged: boolean;
}

/** Within a transaction: a table that is made and not recorded would be found as the user's own the next time. */
async function bind(client: Queryable, schema: string, request: InitRequest): Promise<Bound> {
  // Two at once would both make the table. Held until the transaction ends.
  await client.query('select pg_advisory_xact_lock(hashtext($1))', ['user-events init']);
  const recorded = await findBinding(client, schema);
  if (recorded !== null) return bindAgain(client, schema, recorded, request);
  const { table, isCreated } = await chooseTable(client, request);
  const binding = { ...table, rules: request.rules ?? 'strict' };
  const columns = await eventColumns(client, binding);
  await writeBinding(client, schema, binding);
  return { binding, columns, tableCreated: isCreated, isChanged: false };
}

/** What is recorded stays, unless something else is said and nothing was consumed yet: then the first choice is corrected. */
async function bindAgain(
  client: Queryable,
  schema: string,
  recorded: Binding,
  request: InitRequest,
): Promise<Bound> {
  const difference = differenceFrom(recorded, request);
  if (difference === null) {
    const columns = await eventColumns(client, recorded);
    return { binding: recorded, columns, tableCreated: false, isChanged: false };
  }
  const mismatch = new UserEventsError(
    'BINDING_MISMATCH',
    `The schema ${schema} is set up with ${difference}`,
    {
      hint: 'Events were consumed into it. With another --schema the topic is read anew, into another table or by other rules.',
    },
  );
  if (recorded.boundAt !== null) throw mismatch;
  const binding = await correct(client, recorded, request);
  const columns = await eventColumns(client, binding);
  if ((await replaceBinding(client, schema, binding)) === 'bound') throw mismatch;
  return { binding, columns, tableCreated: false, isChanged: true };
}

/** Another table is chosen as the first time; of the same one, what is said replaces what was. */
async function correct(client: Queryable, recorded: Binding, request: InitRequest): Promise<TableBinding> {
  const { table } = request;
  const isOther =
    table !== null && (table.name !== recorded.usersTable || table.schema !== recorded.usersSchema);
  const rules = request.rules ?? recorded.rules;
  if (isOther) return { ...(await chooseTable(client, request)).table, rules };
  return {
    ...recorded,
    rules,
    keyColumn: request.keyColumn ?? recorded.keyColumn,
    extraColumn: request.extraColumn ?? recorded.extraColumn,
    createdColumn: request.createdColumn ?? recorded.createdColumn,
    updatedColumn: request.updatedColumn ?? recorded.updatedColumn,
  };
}

/** Checks the table as a consumer will, and names what events can carry. */
async function eventColumns(client: Queryable, binding: TableBinding): Promise<readonly string[]> {
  const { columns } = await findUsersTable(client, binding);
  return columns.map(({ name }) => name);
}

/** What was said otherwise than it is recorded, as `rules strict, not lenient`; null where all of it is the same. */
function differenceFrom(recorded: Binding, request: InitRequest): string | null {
  const pairs: (readonly [what: string, said: string | null | undefined, recorded: string | null])[] = [
    ['rules', request.rules, recorded.rules],
    ['table', request.table?.name, recorded.usersTable],
    ['schema of the table', request.table?.schema, recorded.usersSchema],
    ['key column', request.keyColumn, recorded.keyColumn],
    ['extra column', request.extraColumn, recorded.extraColumn],
    ['created column', request.createdColumn, recorded.createdColumn],
    ['updated column', request.updatedColumn, recorded.updatedColumn],
    ['topic', recorded.topic === null ? null : request.topic, recorded.topic],
  ];
  const other = pairs.find(([, said, is]) => said !== null && said !== undefined && said !== is);
  if (other === undefined) return null;
  const [what, said, is] = other;
  return `${what} ${is ?? 'none'}, not ${said ?? 'none'}`;
}
