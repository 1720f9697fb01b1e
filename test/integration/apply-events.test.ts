import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  cud,
  openApplier,
  prepareUsers,
  readLedger,
  readStatuses,
  readUsers,
} from '../support/apply-harness.ts';
import { seededRandom } from '../../bench/frame/random.ts';
import { useTestDatabase } from '../support/test-database.ts';

const database = useTestDatabase();
beforeEach(async () => {
  await prepareUsers(database());
  const { pool, schema } = database();
  await pool.query(`truncate public.users, ${schema}.ledger, ${schema}.position, ${schema}.attempt`);
});

const FAILED = 'failed DATABASE_CONSTRAINT';
const statuses = (): Promise<string[]> => readStatuses(database());

describe('a batch', () => {
  test('creates, changes and deletes users in one statement', async () => {
    const applier = await openApplier(database());
    await applier.apply(
      [
        cud(0, 'create', 'a', { name: 'Ada', email: 'a@x', city: 'London' }),
        cud(1, 'update', 'a', { age: 36, city: 'Paris' }),
        cud(2, 'create', 'b', { name: 'Bob' }),
        cud(3, 'delete', 'b'),
        cud(4, 'put', 'c', { name: 'Cy' }),
        cud(5, 'put', 'c', { age: null, note: 'n' }),
      ],
      6n,
    );
    expect(await readUsers(database())).toEqual({
      a: { name: 'Ada', email: 'a@x', age: 36, note: 'none', attributes: { city: 'Paris' } },
      c: { name: 'Cy', note: 'n', attributes: {} },
    });
    expect(await statuses()).toEqual(new Array(6).fill('applied'));
    await applier.apply([cud(6, 'update', 'a', { name: 'Eve' }), cud(7, 'delete', 'c')], 8n);
    expect(Object.keys(await readUsers(database()))).toEqual(['a']);
  });

  test('fails what the rules refuse and parks what follows of that user alone', async () => {
    const applier = await openApplier(database());
    await applier.apply([cud(0, 'create', 'a', { name: 'A' }), cud(1, 'create', 'b', { name: 'B' })], 2n);
    await applier.apply(
      [
        cud(2, 'create', 'a', { name: 'again' }),
        cud(3, 'update', 'a', { name: 'later' }),
        cud(4, 'update', 'b', { name: 'BB' }),
        cud(5, 'update', 'zz', { name: 'nobody' }),
      ],
      6n,
    );
    expect(await readLedger(database())).toMatchObject([
      { status: 'applied' },
      { status: 'applied' },
      { status: 'failed', code: 'USER_EXISTS' },
      { status: 'parked', blockedBy: 2 },
      { status: 'applied' },
      { status: 'failed', code: 'USER_NOT_FOUND' },
    ]);
    await applier.apply([cud(6, 'update', 'a', { name: 'still' })], 7n);
    expect((await readLedger(database())).at(-1)).toMatchObject({ status: 'parked', blockedBy: 2 });
    expect((await readUsers(database()))['a']).toMatchObject({ name: 'A' });
  });

  test('isolates the event that a constraint refuses, among many', async () => {
    const applier = await openApplier(database());
    const events = Array.from({ length: 64 }, (_, i) =>
      cud(i, 'create', `u${String(i)}`, { name: i % 21 === 5 ? 'bad' : 'good' }),
    );
    await applier.apply(events, 64n);
    const failed = (await readLedger(database())).filter(({ status }) => status !== 'applied');
    expect(failed.map(({ offset, code }) => [offset, code])).toEqual([
      [5, 'DATABASE_CONSTRAINT'],
      [26, 'DATABASE_CONSTRAINT'],
      [47, 'DATABASE_CONSTRAINT'],
    ]);
    expect(Object.keys(await readUsers(database()))).toHaveLength(61);
  });

  test('counts a redelivered event and gives it no second effect', async () => {
    const applier = await openApplier(database());
    await applier.apply([cud(0, 'create', 'a', { name: 'A' })], 1n);
    const again = { ...cud(0, 'create', 'a', { name: 'A' }), offset: 1n };
    const other = { ...cud(0, 'create', 'a', { name: 'other' }), offset: 2n };
    await applier.apply([again, other], 3n);
    expect(await readLedger(database())).toMatchObject([
      { offset: 0, status: 'applied' },
      { offset: 2, status: 'failed', code: 'EVENT_ID_REUSED' },
    ]);
    const { rows } = await database().pool.query<{ duplicates: bigint }>(
      `select duplicates from ${database().schema}.position`,
    );
    expect(rows).toEqual([{ duplicates: 1n }]);
  });

  test('begins a new batch for a create after a delete of a row that existed', async () => {
    const applier = await openApplier(database());
    await applier.apply([cud(0, 'create', 'a', { name: 'A', age: 1 })], 1n);
    await applier.apply([cud(1, 'delete', 'a'), cud(2, 'create', 'a', { name: 'AA' })], 3n);
    expect(await readUsers(database())).toEqual({ a: { name: 'AA', note: 'none', attributes: {} } });
    expect(await statuses()).toEqual(['applied', 'applied', 'applied']);
  });
});

describe('a batch with many refused events', () => {
  test('of 2,000, every second one refused, decides each rightly and in few statements', async () => {
    const { pool } = database();
    let statements = 0;
    const applier = await openApplier(database(), {
      at: () => {
        statements++;
        return Promise.resolve();
      },
    });
    const events = Array.from({ length: 2_000 }, (_, i) =>
      cud(i, 'create', `u${String(i)}`, {
        name: i % 2 === 0 ? 'bad' : 'good',
        age: i % 4 === 1 ? 'no number' : 1,
      }),
    );
    await applier.apply(events, 2_000n);
    const { rows } = await pool.query(
      `select error_code as code, sqlstate as state, count(*)::int as n from ${database().schema}.ledger group by 1, 2 order by 2`,
    );
    expect(rows).toEqual([
      { code: 'DATABASE_VALUE', state: '22P02', n: 500 },
      { code: 'DATABASE_CONSTRAINT', state: '23514', n: 1_000 },
      { code: null, state: null, n: 500 },
    ]);
    // Predicted, with facts, and after the probe, each before and after.
    expect(statements).toBeLessThan(10);
  });

  test('here and there, in batch after batch, are named exactly, and the probe is planned once a connection', async () => {
    const { pool } = database();
    const random = seededRandom(7);
    const users = Array.from({ length: 120 }, (_, n) => `u${String(n)}`);
    const failed = new Set<string>();
    const expected: string[] = [];
    const applier = await openApplier(database());
    for (let offset = 0; offset < 2_000; offset += 400) {
      const events = Array.from({ length: 400 }, (_, n) => {
        const user = users[Math.floor(random() * users.length)] ?? '';
        const isBad = random() < 0.02;
        expected.push(failed.has(user) ? 'parked' : isBad ? FAILED : 'applied');
        if (isBad) failed.add(user);
        return cud(offset + n, 'put', user, { name: isBad ? 'bad' : `n${String(n)}` });
      });
      await applier.apply(events, BigInt(offset + 400));
    }
    expect(await statuses()).toEqual(expected);
    expect(new Set(expected).size).toBe(3);
    const { rows } = await pool.query<{ n: number }>(
      `select count(*)::int as n from pg_proc where proname like 'user_events_probe_%'
       group by pronamespace`,
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.every(({ n }) => n === 1)).toBe(true);
    // A table that has changed meanwhile is probed by a function of its own.
    await pool.query(`alter table public.users add constraint age_is_small check (age < 100)`);
    const offset = 2_000;
    await applier.apply(
      Array.from({ length: 40 }, (_, n) =>
        cud(offset + n, 'put', `v${String(n)}`, { age: n === 20 ? 100 : n }),
      ),
      2_040n,
    );
    const late = (await statuses()).slice(offset);
    expect(late.filter((status) => status === FAILED)).toHaveLength(1);
    expect(late[20]).toBe(FAILED);
    await pool.query(`alter table public.users drop constraint age_is_small`);
  });

  test('names constraint and value, and parks what follows of the user', async () => {
    const applier = await openApplier(database());
    const events = [
      cud(0, 'create', 'a', { name: 'A', email: 'a@x' }),
      cud(1, 'create', 'b', { name: 'B', email: 'a@x' }),
      cud(2, 'update', 'b', { age: 3 }),
    ];
    await applier.apply(events, 3n);
    expect(await readLedger(database())).toMatchObject([
      { status: 'applied' },
      { status: 'failed', code: 'DATABASE_CONSTRAINT' },
      { status: 'parked', blockedBy: 1 },
    ]);
    const { rows } = await database().pool.query(
      `select error_detail->>'constraint' as constraint, error_detail->>'detail' as detail from ${database().schema}.ledger where status = 'failed'`,
    );
    expect(rows).toEqual([{ constraint: 'email_unique', detail: 'Key (email)=(a@x) already exists.' }]);
  });

  test('a unique value that moves from one user to another within a batch is no failure', async () => {
    const applier = await openApplier(database());
    await applier.apply(
      [cud(0, 'create', 'a', { email: 'x@x' }), cud(1, 'create', 'b', { email: 'y@y' })],
      2n,
    );
    const moves = [
      cud(2, 'update', 'a', { email: 'z@z' }),
      cud(3, 'update', 'b', { email: 'x@x' }),
      cud(4, 'delete', 'a'),
      cud(5, 'create', 'c', { email: 'z@z' }),
    ];
    await applier.apply(moves, 6n);
    expect(await statuses()).toEqual(new Array(6).fill('applied'));
  });
});
