import { columnMapper } from '../../src/domain/column-values.ts';
import type { CudEvent, CudOperation, JsonObject, LogEvent, RollbackEvent } from '../../src/domain/event.ts';
import { PartitionApplier, type ApplyContext } from '../../src/app/consume/apply-events.ts';
import { openLedger } from '../../src/app/consume/open-group.ts';
import { Turns } from '../../src/app/consume/turns.ts';
import { applyBatch, type Claim } from '../../src/postgres/sql/apply-batch.ts';
import { probeEvents } from '../../src/postgres/sql/probe-events.ts';
import { raiseEpochs, startPositions } from '../../src/postgres/sql/positions.ts';
import type { TestDatabase } from './test-database.ts';

/** An id that reads as its number in failures: 00000000-0000-7000-8000-000000000001. */
export function eventId(n: number): string {
  return `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;
}

const BASE_TIME = Date.UTC(2026, 0, 1);

/** The head of an event at an offset of partition 0; its id is made of the offset unless one is given. */
function head(
  offset: number,
): Pick<CudEvent, 'eventId' | 'ceId' | 'source' | 'isIdDerived' | 'partition' | 'offset' | 'timestamp'> {
  return {
    eventId: eventId(offset),
    ceId: null,
    source: '/test',
    isIdDerived: false,
    partition: 0,
    offset: BigInt(offset),
    timestamp: BASE_TIME + offset * 1000,
  };
}

export function cud(
  offset: number,
  operation: CudOperation,
  userId: string,
  fields: JsonObject = {},
): CudEvent {
  const value = Buffer.from(JSON.stringify({ userId, ...fields }));
  return { ...head(offset), kind: 'cud', operation, userId, fields, value };
}

export function rollback(
  offset: number,
  userId: string,
  targets: readonly number[],
  terms: Partial<Pick<RollbackEvent, 'mode' | 'upTo' | 'force'>> = {},
): RollbackEvent {
  const full = {
    mode: 'only',
    upTo: null,
    force: false,
    reason: 'test',
    operator: 'tester',
    rules: 'strict',
  } as const;
  const said = { ...full, ...terms, targets: targets.map(eventId) };
  const value = Buffer.from(JSON.stringify({ userId, ...said }));
  return { ...head(offset), kind: 'rollback', operation: 'rollback', userId, ...said, value };
}

/** Makes the users table that `init` would make, with a rule of its own, and binds the ledger to it. */
export async function prepareUsers(
  database: TestDatabase,
  rules: 'strict' | 'lenient' = 'strict',
): Promise<void> {
  await database.pool.query(`
    create table if not exists public.users (user_id text primary key, name text constraint name_is_not_bad check (name <> 'bad'),
      email text constraint email_unique unique, age int, note text default 'none', attributes jsonb not null default '{}',
      created_at timestamptz not null default now(), updated_at timestamptz not null default now())`);
  await database.pool.query(
    `insert into ${database.schema}.binding (rules, users_schema, users_table, key_column, extra_column, created_column, updated_column)
     values ($1, 'public', 'users', 'user_id', 'attributes', 'created_at', 'updated_at') on conflict do nothing`,
    [rules],
  );
}

/** What executing on a prepared database needs. */
export async function applyContext(
  database: TestDatabase,
  overrides: Partial<ApplyContext> = {},
): Promise<ApplyContext> {
  const ledger = await openLedger(database);
  return {
    ...ledger,
    mapper: columnMapper(ledger.mapper.table),
    pool: database.pool,
    applyBatch: applyBatch(database.schema, ledger.mapper.table),
    probeEvents: probeEvents(ledger.mapper.table),
    deriveId: (event: LogEvent) => eventId(900_000_000 + Number(event.offset)),
    turns: new Turns(2),
    signal: new AbortController().signal,
    onApplied: () => undefined,
    onTrouble: () => undefined,
    at: () => Promise.resolve(),
    ...overrides,
  };
}

/** Partition 0 of a prepared database, claimed anew. */
export async function claimPartition(database: TestDatabase): Promise<Claim> {
  await startPositions(database.pool, database.schema, [{ partition: 0, offset: 0n, generation: 0 }]);
  const [claim] = await raiseEpochs(database.pool, database.schema, [0]);
  if (claim === undefined) throw new Error('no position');
  return claim;
}

/** An applier on partition 0 of a prepared database, claimed anew. */
export async function openApplier(
  database: TestDatabase,
  overrides: Partial<ApplyContext> = {},
): Promise<PartitionApplier> {
  const context = await applyContext(database, overrides);
  return new PartitionApplier(await claimPartition(database), context);
}

export interface LedgerLine {
  readonly offset: number;
  readonly user: string | null;
  readonly operation: string | null;
  readonly status: string;
  readonly code: string | null;
  readonly blockedBy: number | null;
}

/** The ledger in order, short enough to compare whole. `blockedBy` is the offset in the blocking event's id. */
export async function readLedger(database: TestDatabase): Promise<LedgerLine[]> {
  const { rows } = await database.pool.query<LedgerLine>(
    `select "offset"::int as offset, user_id as user, operation, status, error_code as code,
       right(blocked_by::text, 12)::int as "blockedBy" from ${database.schema}.ledger order by "offset"`,
  );
  return rows;
}

/** The users table without its times, by key. */
export async function readUsers(database: TestDatabase): Promise<Record<string, JsonObject>> {
  const { rows } = await database.pool.query<{ user_id: string; row: JsonObject }>(
    `select user_id, json_strip_nulls(row_to_json(u))::jsonb - '{user_id,created_at,updated_at}'::text[] as row
     from public.users u order by user_id`,
  );
  return Object.fromEntries(rows.map(({ user_id, row }) => [user_id, row]));
}

/** Each event's status in order, with the code of its error: `failed USER_EXISTS`. */
export async function readStatuses(database: TestDatabase): Promise<string[]> {
  const lines = await readLedger(database);
  return lines.map(({ status, code }) => (code === null ? status : `${status} ${code}`));
}
