import { beforeAll, expect, test } from '@jest/globals';
import { openLedger } from '../../src/app/consume/open-group.ts';
import { planRollback } from '../../src/app/rollback/plan.ts';
import { findTargets } from '../../src/app/rollback/targets.ts';
import { createPool, type Queryable } from '../../src/postgres/pool.ts';
import { readExistence, readHistories, readHistoriesToDecide } from '../../src/postgres/sql/read-history.ts';
import { readFailedTargets } from '../../src/postgres/sql/read-failures.ts';
import { readTargets } from '../../src/postgres/sql/read-targets.ts';
import { readUnwritten } from '../../src/postgres/sql/read-unwritten.ts';
import { inTransaction } from '../../src/postgres/transaction.ts';
import { eventId, prepareUsers } from '../support/apply-harness.ts';
import { useTestDatabase } from '../support/test-database.ts';

const ROWS = 100_000;
const EVENTS_OF_A_USER = 10;
/** In the middle of the history of a user in the middle. */
const EVENT = 50_005;
const USER = 'p5000';

const database = useTestDatabase();

beforeAll(async () => {
  const { pool, schema } = database();
  await prepareUsers(database());
  const user = `'p' || n / ${String(EVENTS_OF_A_USER)}`;
  const first = `n % ${String(EVENTS_OF_A_USER)} = 0`;
  await pool.query(
    `insert into ${schema}.ledger (event_id, generation, partition, "offset", user_id, operation, status, published_at, data,
       before_exists, before)
     select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 0, 0, n, ${user}, case when ${first} then 'create'
         else 'update' end, 'applied', now(), json_build_object('userId', ${user}, 'name', 'n' || n), not ${first},
       case when not ${first} then json_build_object('user_id', ${user}, 'name', 'n' || n - 1) end
     from generate_series(0, ${String(ROWS - 1)}) n`,
  );
  await pool.query(
    `insert into public.users (user_id, name)
     select 'p' || n, 'n' || n * ${String(EVENTS_OF_A_USER)} + ${String(EVENTS_OF_A_USER - 1)}
     from generate_series(0, ${String(ROWS / EVENTS_OF_A_USER - 1)}) n`,
  );
  await pool.query(`analyze ${schema}.ledger; analyze public.users`);
}, 120_000);

const ANY_FAILURE = {
  codes: null,
  isRollback: null,
  sqlState: null,
  constraint: null,
  fields: null,
  fieldConstraints: [],
  userId: null,
  since: null,
  until: null,
};

/** Explains every statement before it is run: what each scans, `Index Scan ledger_pkey` and the like. */
function explaining(scans: string[]): Queryable {
  const { pool } = database();
  const query = async (text: string, values: unknown[]): Promise<unknown> => {
    const { rows } = await pool.query<{ 'QUERY PLAN': unknown }>(`explain (format json) ${text}`, values);
    scans.push(...scansIn(rows));
    return pool.query(text, values);
  };
  return { query } as unknown as Queryable;
}

function scansIn(plan: unknown): string[] {
  if (Array.isArray(plan)) return plan.flatMap(scansIn);
  if (typeof plan !== 'object' || plan === null) return [];
  const node = plan as Readonly<Record<string, unknown>>;
  const type = node['Node Type'];
  const name = node['Index Name'] ?? node['Relation Name'];
  const own =
    typeof type === 'string' && type.endsWith('Scan') && typeof name === 'string' ? [`${type} ${name}`] : [];
  return [...own, ...Object.values(node).flatMap(scansIn)];
}

test.each<readonly [name: string, read: (db: Queryable, schema: string) => Promise<unknown>, index: string]>([
  ['the targets', (db, schema) => readTargets(db, schema, [eventId(EVENT)]), 'ledger_event_id'],
  ['a history', (db, schema) => readHistories(db, schema, [USER]), 'ledger_user'],
  ['what failed', (db, schema) => readFailedTargets(db, schema, ANY_FAILURE), 'ledger_open'],
  [
    'dead letters to be written',
    (db, schema) => readUnwritten(db, schema, [0], { letters: 500, bytes: 1e6 }),
    'ledger_',
  ],
])('a plan reads %s by an index', async (_, read, index) => {
  const scans: string[] = [];
  await read(explaining(scans), database().schema);
  expect(scans.join(', ')).toContain(index);
  // A row of `gap` is a topic made anew, or a hole that somebody accepted: a handful.
  expect(scans.filter((scan) => scan.startsWith('Seq Scan') && scan !== 'Seq Scan gap')).toEqual([]);
});

test.each([
  ['to be executed', readHistories],
  ['to be decided', readHistoriesToDecide],
  ['to be planned', readExistence],
])(
  'histories of a bulk %s are read by the index, also of a ledger that was never analysed',
  async (_, read) => {
    const { pool, schema } = database();
    const users = Array.from({ length: 500 }, (_value, at) => `p${String(at * 7)}`);
    await pool.query(
      `delete from pg_statistic where starelid = '${schema}.ledger'::regclass; alter table ${schema}.ledger set (autovacuum_enabled = off)`,
    );
    try {
      const scans: string[] = [];
      const histories = await read(explaining(scans), schema, users);
      expect(scans.join(', ')).toContain('ledger_user');
      expect(scans.filter((scan) => scan.startsWith('Seq Scan'))).toEqual([]);
      expect(histories.size).toBe(users.length);
      expect([...histories.values()].every((entries) => entries.length === EVENTS_OF_A_USER)).toBe(true);
    } finally {
      await pool.query(`analyze ${schema}.ledger`);
    }
  },
);

test('the plan of one event, tried out and undone, scans neither ledger nor users from end to end', async () => {
  const { connectionString, schema, address } = database();
  // One connection, whose counters can be asked for at once.
  const pool = createPool({ connectionString, max: 1 });
  try {
    const ours = { pool, schema, address };
    const ledger = await openLedger(ours);
    const scanned = async (): Promise<Record<string, bigint>> => {
      await pool.query('select pg_stat_force_next_flush()');
      await pool.query('select pg_stat_clear_snapshot()');
      const { rows } = await pool.query<{ name: string; seq_scan: bigint }>(
        `select relname as name, seq_scan from pg_stat_user_tables where relname in ('ledger', 'users')`,
      );
      return Object.fromEntries(rows.map(({ name, seq_scan }) => [name, seq_scan]));
    };
    const before = await scanned();
    const { users } = await findTargets(ours, [eventId(EVENT)]);
    const [plan] = await planRollback(ours, ledger, users, {
      mode: 'cascade',
      force: false,
      ahead: { byUser: new Map(), gap: null },
      isThorough: true,
      signal: new AbortController().signal,
      onProgress: () => undefined,
    });
    expect(plan?.changes).toHaveLength(5);
    expect(plan?.then).toMatchObject({ name: `n${String(EVENT - 1)}` });
    expect(await scanned()).toEqual(before);
  } finally {
    await pool.end();
  }
});

test('no statement of a transaction is compiled, also where the session would', async () => {
  const pool = createPool({
    connectionString: database().connectionString,
    max: 1,
    settings: { jit: 'on' },
  });
  const jit = async (db: Queryable): Promise<unknown> => (await db.query('show jit')).rows;
  expect(await inTransaction(pool, 'read committed', jit)).toEqual([{ jit: 'off' }]);
  expect(await jit(pool)).toEqual([{ jit: 'on' }]);
  await pool.end();
});
