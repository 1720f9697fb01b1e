import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawnCli } from '../support/cli.ts';
import { describeKafka } from '../support/describe-kafka.ts';
import { uniqueName } from '../support/names.ts';
import { sampleEvents } from '../support/sample-users.ts';
import { openService, type Service } from '../support/services-under-test.ts';
import { waitFor } from '../support/wait-for.ts';

/** More than one portion of the ledger (see app/verify/fold-users). */
const EVENTS = 24_000;

describeKafka('verify and rebuild', () => {
  const topic = uniqueName('verify');
  let service: Service;
  let other: Service;
  beforeAll(async () => {
    service = await openService({ topic });
    const table = `create table public.users ("emailAddress" text, user_id text primary key, email text, full_name text, name varchar(80))`;
    other = await openService({ topic, table });
    await service.run(['publish', '--from-file', '-'], { input: sampleEvents(EVENTS, 5_000) });
    await Promise.all([service.catchUp(), other.catchUp()]);
  }, 120_000);
  afterAll(async () => {
    await service.database.drop();
    await other.database.drop();
  });

  interface Report {
    readonly differenceCount: number;
    readonly ledgerProblems: number;
    readonly differences: readonly {
      readonly kind: string;
      readonly userId: string;
      readonly problem?: string;
    }[];
    readonly repaired: Record<string, unknown> | null;
  }
  const json = async (args: readonly string[], exit = 0): Promise<Report> => {
    const { stdout } = await service.run([...args, '--json'], { exit });
    return JSON.parse(stdout) as Report;
  };
  const sql = (text: string): Promise<unknown> =>
    service.database.pool.query(text.replaceAll('LEDGER', `${service.database.schema}.ledger`));

  /** What a statement of a rebuild that is under way waits for; none of them = nothing is under way. */
  async function rebuilding(): Promise<readonly (string | null)[]> {
    const { rows } = await service.database.pool.query<{ wait_event_type: string | null }>(
      `select wait_event_type from pg_stat_activity where datname = current_database() and query like 'with asked as materialized%' and state <> 'idle'`,
    );
    return rows.map((row) => row.wait_event_type);
  }

  test('the table is proven against the ledger and against the log', async () => {
    expect(await json(['verify', '--exact'])).toMatchObject({
      source: 'ledger',
      events: EVENTS,
      differenceCount: 0,
    });
    expect(await json(['verify', '--from-log', '--exact'])).toMatchObject({
      source: 'log',
      log: { records: EVENTS, deletedOffsets: 0 },
      differenceCount: 0,
    });
  }, 60_000);

  test('two services whose tables differ in form come to the same digest', async () => {
    const args = ['verify', '--digest', '--columns', 'name,email', '--json'];
    const digests = [await service.run(args), await other.run(args)].map(({ stdout }) => {
      return (JSON.parse(stdout) as { digest: { partitions: readonly unknown[] } }).digest.partitions;
    });
    expect(digests[0]).toHaveLength(4);
    expect(digests[1]).toEqual(digests[0]);
  }, 60_000);

  test('what the ledger says otherwise than the log is named, and rebuild --from-log mends it with the row', async () => {
    await sql(`update LEDGER set data = '{"userId": "x", "name": "forged"}'
      where event_id = (select event_id from LEDGER where operation = 'update' and status = 'applied' order by "offset" desc limit 1)`);
    const found = await json(['verify', '--from-log'], 6);
    expect(found.differences).toContainEqual(
      expect.objectContaining({ kind: 'ledger', problem: 'another value' }),
    );
    expect((await service.run(['verify'], { exit: 6 })).stdout).toContain('forged');
    expect(await json(['rebuild', '--from-log', '--yes'])).toMatchObject({ ledgerProblems: 0 });
    expect(await json(['verify', '--from-log', '--exact'])).toMatchObject({ differenceCount: 0 });
  }, 60_000);

  test('a row of the ledger that is gone, and one that the log never had, are named', async () => {
    await sql(
      `create table kept as select * from LEDGER where operation = 'create' order by "offset" limit 1`,
    );
    await sql(`delete from LEDGER l using kept k where l.event_id = k.event_id`);
    const { differences } = await json(['verify', '--from-log'], 6);
    expect(differences.map(({ problem }) => problem)).toContain('not in the ledger');
    await sql(`insert into LEDGER select * from kept`);
    await sql(`update LEDGER set event_id = gen_random_uuid() where event_id = (select event_id from kept)`);
    const changed = await json(['verify', '--from-log'], 6);
    expect(changed.differences.map(({ problem }) => problem)).toContain('another record');
    await sql(`update LEDGER l set event_id = k.event_id from kept k where l.generation = k.generation
      and l.partition = k.partition and l."offset" = k."offset"`);
    await sql('drop table kept');
    expect(await json(['verify', '--from-log'])).toMatchObject({ differenceCount: 0 });
  }, 60_000);

  test('rebuild asks first, and without a terminal says which flag confirms', async () => {
    await sql(`update public.users set name = 'X' where user_id = (select min(user_id) from public.users)`);
    const { stderr } = await service.run(['rebuild'], { exit: 2 });
    expect(stderr).toContain('--yes');
    expect((await json(['rebuild', '--dry-run'], 6)).repaired).toBeNull();
    expect(await json(['verify', '--fix', '--yes', '--reason', 'a test'])).toMatchObject({
      repaired: { inserted: 0, updated: 1, deleted: 0, refused: [] },
    });
  }, 60_000);

  test('an emptied table is filled again beside a running consumer, and nothing is lost when it is killed before', async () => {
    const users = await service.users();
    await sql('create view public.names as select user_id, name from public.users');
    await sql('truncate public.users');

    // Killed while it writes: an insert of the same key, not committed, holds it back.
    const holder = await service.database.pool.connect();
    try {
      await holder.query('begin');
      await holder.query('insert into public.users (user_id) values ($1)', [
        Object.keys(users).toSorted().at(-1),
      ]);
      const killed = await spawnCli(['rebuild', '--yes'], { env: service.env });
      await waitFor(async () => (await rebuilding()).includes('Lock'), {
        describe: 'the rebuild waits for the lock',
      });
      killed.kill('SIGKILL');
      await killed.ended;
    } finally {
      await holder.query('rollback');
      holder.release();
    }
    await waitFor(async () => (await rebuilding()).length === 0, { describe: 'what was killed is aborted' });
    expect(await service.users()).toEqual({});

    const consumer = await spawnCli(['consume'], { env: service.env });
    const more = sampleEvents(4_000, 5_000, 99).replaceAll('user-', 'late-');
    const [published] = await Promise.all([
      service.run(['publish', '--from-file', '-'], { input: more }),
      service.run(['rebuild', '--yes']),
    ]);
    expect(published.exitCode).toBe(0);
    await service.run(['status', '--wait', '--max-lag', '0', '--timeout', '60']);
    consumer.kill('SIGTERM');
    expect((await consumer.ended).exitCode).toBe(0);
    expect(await service.users()).toMatchObject(users);
    expect(await json(['verify', '--from-log', '--exact'])).toMatchObject({ differenceCount: 0 });
  }, 120_000);

  test('a user is forgotten once a delete was consumed, and what lies in the log is named', async () => {
    await service.run(['publish', 'create', 'gdpr', '--name', 'Jane Doe', '--email', 'jane@example.com']);
    await service.catchUp();
    const refused = await service.run(['forget', 'gdpr', '--yes'], { exit: 6 });
    expect(refused.stderr).toContain('publish delete');
    await service.run(['publish', 'delete', 'gdpr']);
    await service.catchUp();
    const { stdout } = await service.run(['forget', 'gdpr', '--yes']);
    expect(stdout).toMatch(/Emptied: 2 events of user gdpr/);
    expect(stdout).toMatch(new RegExp(`${topic}\\[\\d\\] at \\d+, \\d+`));
    const { rows } = await service.database.pool.query(
      `select 1 from ${service.database.schema}.ledger l where row_to_json(l)::text like '%Jane%'`,
    );
    expect(rows).toEqual([]);
    expect((await service.run(['trace', '--user', 'gdpr'])).stdout).toContain('applied');
    await service.run(['forget', 'nobody', '--yes'], { exit: 5 });
  }, 60_000);

  test('what is old is pruned, and the table is proven all the same', async () => {
    await service.run(['prune', '--older-than', 'tomorrow', '--yes'], { exit: 2 });
    await service.run(['prune', '--older-than', '0s'], { exit: 2 });
    const pruned = await service.run(['prune', '--older-than', '0s', '--yes', '--json']);
    expect(JSON.parse(pruned.stdout)).toMatchObject({ isDryRun: false });
    const { rows } = await service.database.pool.query(
      `select 1 from ${service.database.schema}.ledger where data is not null or before is not null limit 1`,
    );
    expect(rows).toEqual([]);
    expect(await json(['verify', '--from-log', '--exact'])).toMatchObject({ differenceCount: 0, untold: 0 });
    await sql(`update public.users set name = 'X' where user_id = (select min(user_id) from public.users)`);
    await json(['verify'], 6);
    expect(await json(['rebuild', '--yes'])).toMatchObject({ repaired: { updated: 1 } });
  }, 60_000);
});
