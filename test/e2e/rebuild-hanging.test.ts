import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawnCli } from '../support/cli.ts';
import { describeKafka } from '../support/describe-kafka.ts';
import { uniqueName } from '../support/names.ts';
import { sampleEvents } from '../support/sample-users.ts';
import { openService, type Service } from '../support/services-under-test.ts';
import { waitFor } from '../support/wait-for.ts';

const EVENTS = 3_000;
const CHANGED = 100;
/** What a service hangs on its users: a foreign key, a view, a grant, a trigger. READER is a role of this test. */
const HANGING = `
  create table public.orders (order_id int generated always as identity primary key,
    user_id text not null references public.users on delete restrict);
  insert into public.orders (user_id) select user_id from public.users order by 1 limit 10;
  create view public.names as select user_id, name from public.users;
  create table public.audit (operation text not null, user_id text not null);
  create function public.note() returns trigger language plpgsql as $$ begin
    insert into public.audit values (tg_op, coalesce(new.user_id, old.user_id)); return null; end $$;
  create role READER;
  grant select on public.users to READER;
  create trigger note after insert or update or delete on public.users for each row execute function public.note();`;

/** The table as PostgreSQL knows it: its identity, and what hangs on it. */
const CATALOG = `select t.oid::int as oid, t.relacl::text as grants,
    (select json_agg(pg_get_triggerdef(g.oid) order by g.oid) from pg_trigger g where g.tgrelid = t.oid and not g.tgisinternal) as triggers,
    (select json_agg(pg_get_constraintdef(c.oid) order by c.oid) from pg_constraint c where t.oid in (c.conrelid, c.confrelid)) as keys,
    (select pg_get_viewdef('public.names'::regclass)) as view
  from pg_class t where t.oid = 'public.users'::regclass`;

describeKafka('rebuild of a table on which much hangs', () => {
  const reader = uniqueName('reader').replaceAll('-', '_');
  let service: Service;
  const query = async <Row extends object>(sql: string, values: readonly unknown[] = []): Promise<Row[]> =>
    (await service.database.pool.query<Row>(sql, [...values])).rows;

  beforeAll(async () => {
    service = await openService({ topic: uniqueName('hanging') });
    await service.run(['publish', '--from-file', '-'], { input: sampleEvents(EVENTS, EVENTS / 4) });
    await service.catchUp();
    await service.database.pool.query(HANGING.replaceAll('READER', reader));
  }, 120_000);
  afterAll(async () => {
    await service.database.pool.query(`drop owned by ${reader}; drop role ${reader}`);
    await service.database.drop();
  });

  /** Changes names, takes rows away that no order needs, and brings a deleted user back. How many of each. */
  async function tamper(): Promise<Record<'UPDATE' | 'INSERT' | 'DELETE', number>> {
    const ids = `select user_id from public.users where user_id not in (select user_id from public.orders) order by user_id`;
    await query(`update public.users set name = 'X' where user_id in (${ids} limit ${String(CHANGED)})`);
    await query(`delete from public.users where user_id in (${ids} desc limit ${String(CHANGED)})`);
    const back = await query(
      `insert into public.users (user_id) select distinct l.user_id from ${service.database.schema}.ledger l
       where operation = 'delete' and not exists (select from public.users u where u.user_id = l.user_id)
         and (select m.operation from ${service.database.schema}.ledger m where m.user_id = l.user_id
           order by m."offset" desc limit 1) = 'delete' limit 1 returning user_id`,
    );
    expect(back).toHaveLength(1);
    await query('truncate public.audit');
    return { UPDATE: CHANGED, INSERT: CHANGED, DELETE: 1 };
  }

  /** Statements of other sessions on the users table that wait for a lock. */
  async function waiting(): Promise<number> {
    const [row] = await query<{ n: number }>(
      `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return row?.n ?? 0;
  }

  test('killed -9 while it writes it has changed nothing; run again it changes the differences alone', async () => {
    const users = await service.users();
    const [catalog] = await query(CATALOG);
    const changes = await tamper();
    const tampered = await service.users();

    // It is killed in the midst: the last row that it wants to write is held by another transaction.
    const holder = await service.database.pool.connect();
    try {
      await holder.query('begin');
      const last = Object.keys(users)
        .toSorted()
        .filter((id) => !(id in tampered))
        .at(-1);
      await holder.query('insert into public.users (user_id) values ($1)', [last]);
      const killed = await spawnCli(['rebuild', '--yes'], { env: service.env });
      await waitFor(async () => (await waiting()) > 0, { timeoutMs: 30_000, describe: 'the rebuild waits' });
      killed.kill('SIGKILL');
      await killed.ended;
    } finally {
      await holder.query('rollback');
      holder.release();
    }
    await waitFor(async () => (await waiting()) === 0, { describe: 'what was killed is aborted' });
    expect(await service.users()).toEqual(tampered);
    expect(await query('select from public.audit')).toHaveLength(0);

    await service.run(['rebuild', '--yes']);
    expect(await service.users()).toEqual(users);
    expect(await query(CATALOG)).toEqual([catalog]);
    const audit = await query<{ operation: keyof typeof changes; n: number }>(
      'select operation, count(*)::int as n from public.audit group by operation',
    );
    expect(Object.fromEntries(audit.map(({ operation, n }) => [operation, n]))).toEqual(changes);
    expect(await query('select user_id, name from public.names')).toHaveLength(Object.keys(users).length);
    await service.run(['verify', '--from-log', '--exact']);
  }, 120_000);

  test('a row that a foreign key holds is named, and the rest is set', async () => {
    const users = await service.users();
    await tamper();
    const [back] = await query<{ user_id: string }>(
      'select user_id from public.users where user_id <> all ($1)',
      [Object.keys(users)],
    );
    await query('insert into public.orders (user_id) values ($1)', [back?.user_id]);
    const { stdout } = await service.run(['rebuild', '--yes', '--json'], { exit: 6 });
    expect(JSON.parse(stdout)).toMatchObject({
      repaired: {
        inserted: CHANGED,
        updated: CHANGED,
        deleted: 0,
        refused: [{ userId: back?.user_id, error: { sqlState: expect.stringMatching(/^23(?:001|503)$/) } }],
      },
    });
    await query('delete from public.orders where user_id = $1', [back?.user_id]);
    await service.run(['rebuild', '--yes']);
    expect(await service.users()).toEqual(users);
  }, 120_000);
});
