import { beforeAll, describe, expect, test } from '@jest/globals';
import { chooseFailed, type FailedOnes } from '../../src/app/failures/choose.ts';
import { failureFilter, type FailuresWanted } from '../../src/app/failures/wanted.ts';
import type { Queryable } from '../../src/postgres/pool.ts';
import {
  countFailedUsers,
  readFailedUsers,
  type FailedUser,
} from '../../src/postgres/sql/read-failed-users.ts';
import { readExistence } from '../../src/postgres/sql/read-history.ts';
import { inTransaction, type PoolClient } from '../../src/postgres/transaction.ts';
import { prepareUsers } from '../support/apply-harness.ts';
import { useTestDatabase } from '../support/test-database.ts';

const database = useTestDatabase();
const HUNDRED = 100;

/** Of each user up to five events: failed ones of several kinds, parked and applied ones, rollbacks, some of nobody. */
beforeAll(async () => {
  await prepareUsers(database());
  const { pool, schema } = database();
  await pool.query(
    `insert into ${schema}.ledger (event_id, generation, partition, "offset", user_id, operation, status, published_at,
       withdraws, blocked_by, error_code, error_message, sqlstate, error_detail)
     select gen_random_uuid(), n % 2, n % 3, n, case when n % 11 > 0 then 'Ü' || n % $1 end,
       case when n % 7 = 0 then 'rollback' when n % 13 > 0 then 'update' end, s.status, now(),
       case when n % 14 = 0 then array[gen_random_uuid()] end,
       case when s.status = 'parked' then gen_random_uuid() end, e.code, e.code, e.sqlstate, e.detail::json
     from generate_series(1, $1 * 5) n
       cross join lateral (select case n % 4 when 0 then 'applied' when 1 then 'parked' else 'failed' end as status) s
       cross join lateral (select case when s.status <> 'failed' then null when n % 5 = 0 then 'EVENT_ID_REUSED'
           when n % 5 = 1 then 'DATABASE_VALUE' else 'DATABASE_CONSTRAINT' end as code,
         case when s.status = 'failed' and n % 5 > 1 then '23505' end as sqlstate,
         case when s.status = 'failed' and n % 5 = 2 then '{"constraint":"users_email_key","columns":["email"]}' end as detail) e`,
    [HUNDRED],
  );
});

async function pages(wanted: FailuresWanted, limit: number): Promise<readonly (readonly FailedUser[])[]> {
  const { pool, schema } = database();
  const filter = await failureFilter(pool, schema, wanted, 0);
  const pageBehind = (after: string | null): Promise<readonly FailedUser[]> =>
    inTransaction(pool, 'read committed', (client) =>
      readFailedUsers(client, schema, { filter, upTo: [] }, after, limit),
    );
  const read: (readonly FailedUser[])[] = [];
  let page = await pageBehind(null);
  while (page.length > 0) {
    read.push(page);
    page = await pageBehind(page.at(-1)?.userId ?? null);
  }
  return read;
}

/** The same of the queries that a list is made of. */
async function listed(chosen: FailedOnes): Promise<ReadonlyMap<string, Omit<FailedUser, 'userId'>>> {
  const failed = (await chooseFailed(database(), chosen)).filter(
    ({ operation, userId }) => operation !== 'rollback' && userId !== null,
  );
  const ids = [...new Set(failed.flatMap(({ userId }) => userId ?? []))];
  const histories = await readExistence(database().pool, database().schema, ids);
  return new Map(
    ids.map((id) => {
      const wanted = new Set(failed.filter(({ userId }) => userId === id).map(({ eventId }) => eventId));
      const history = histories.get(id) ?? [];
      return [id, { rows: history.filter(({ eventId }) => wanted.has(eventId)), history }];
    }),
  );
}

describe('users with failed events', () => {
  test.each<[string, FailuresWanted]>([
    ['all', {}],
    ['of a code', { codes: ['EVENT_ID_REUSED'] }],
    ['of a class', { class: 'database' }],
    ['of a constraint', { constraint: 'users_email_key' }],
    ['of a field', { field: 'email' }],
    ['of a user', { userId: 'Ü3' }],
    ['of rollbacks, which are none to be rolled back', { class: 'rollback' }],
    ['of a time in which nothing failed', { until: '2001-01-01' }],
  ])('%s come each once, page by page, with all of the history', async (_, wanted) => {
    const expected = await listed({ wanted, nowMs: 0 });
    const read = await pages(wanted, 7);
    expect(read.slice(0, -1).every(({ length }) => length === 7)).toBe(true);
    const users = read.flat();
    expect(users).toHaveLength(expected.size);
    for (const { userId, ...rest } of users) expect([userId, rest]).toEqual([userId, expected.get(userId)]);
    const { pool, schema } = database();
    const filter = await failureFilter(pool, schema, wanted, 0);
    expect(await countFailedUsers(pool, schema, { filter, upTo: [] }, null)).toBe(expected.size);
    expect(await countFailedUsers(pool, schema, { filter, upTo: [] }, 5)).toBe(Math.min(5, expected.size));
  });

  test('are those of events before the positions, where there are any: of an older log all', async () => {
    const { pool, schema } = database();
    const filter = await failureFilter(pool, schema, {}, 0);
    const claim = { epoch: 0n, revision: 0n, startOffset: 0n };
    const upTo = [
      { ...claim, partition: 0, generation: 1, nextOffset: 120n },
      { ...claim, partition: 2, generation: 0, nextOffset: 60n },
    ];
    const users = await inTransaction(pool, 'read committed', (client) =>
      readFailedUsers(client, schema, { filter, upTo }, null, 1000),
    );
    const { rows } = await pool.query<{ id: string; user_id: string }>(
      `select event_id as id, user_id from ${schema}.ledger where status = 'failed' and operation is distinct from 'rollback'
         and user_id is not null and case partition when 0 then generation = 0 or "offset" < 120
           when 2 then "offset" < 60 else true end`,
    );
    const failed = users.flatMap(({ rows: own }) => own.map(({ eventId }) => eventId));
    expect(failed.toSorted()).toEqual(rows.map(({ id }) => id).toSorted());
    expect(new Set(users.map(({ userId }) => userId))).toEqual(new Set(rows.map((row) => row.user_id)));
    expect(await countFailedUsers(pool, schema, { filter, upTo }, null)).toBe(users.length);
    const all = (await listed({ wanted: {}, nowMs: 0 })).values();
    expect(failed.length).toBeLessThan([...all].flatMap((user) => user.rows).length);
  });

  test('are reached by the index of what is open, in its order, also without statistics', async () => {
    const { pool, schema } = database();
    await pool.query(`alter table ${schema}.ledger set (autovacuum_enabled = off)`);
    await pool.query(
      `insert into ${schema}.ledger (event_id, generation, partition, "offset", user_id, operation, status, published_at)
       select gen_random_uuid(), 2, 0, n, 'many' || n, 'create', 'failed', now() from generate_series(1, 20000) n`,
    );
    const filter = await failureFilter(pool, schema, {}, 0);
    const plan = await inTransaction(pool, 'read committed', async (client) => {
      const asked: { text: string; values: unknown[] }[] = [];
      await readFailedUsers(recording(client, asked), schema, { filter, upTo: [] }, 'Ü2', 1000);
      const { text, values } = asked.at(-1) ?? { text: '', values: [] };
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values);
      return rows.map((row) => row['QUERY PLAN'].trim());
    });
    const scans = plan.filter((line) => line.includes('Scan'));
    expect(scans.map((line) => line.replace(/^-> {2}| {2}\(cost.*$/g, ''))).toEqual([
      'Index Scan using ledger_open on ledger l',
      'Index Scan using ledger_user on ledger l_1',
    ]);
    expect(plan.join('\n')).toMatch(/Index Cond: .*user_id > 'Ü2'::text/);
    expect(plan.filter((line) => /Sort|Hash/.test(line))).toEqual([]);
  });
});

function recording(client: PoolClient, asked: { text: string; values: unknown[] }[]): Queryable {
  const query = (text: string, values: unknown[] = []): Promise<unknown> => {
    asked.push({ text, values });
    return client.query(text, values);
  };
  return { query } as Queryable;
}
