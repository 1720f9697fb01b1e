import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeKafka } from '../support/describe-kafka.ts';
import { uniqueName } from '../support/names.ts';
import { sampleEvents } from '../support/sample-users.ts';
import { openService, type Service } from '../support/services-under-test.ts';

const EVENTS = 400;
/** More events than users, so that some are updated and some deleted. */
const USERS = 60;

interface Report {
  readonly differenceCount: number;
  readonly ledgerProblems: number;
  readonly differences: readonly {
    readonly kind: string;
    readonly column?: string;
    readonly problem?: string;
  }[];
}

describeKafka('verify finds tampering, and rebuild takes it back', () => {
  let service: Service;
  beforeAll(async () => {
    service = await openService({ topic: uniqueName('tampered') });
    await service.run(['publish', '--from-file', '-'], { input: sampleEvents(EVENTS, USERS) });
    await service.run(['publish', 'create', 'twice', '--name', 'Zoë', '--email', 'z@example.com']);
    await service.run(['publish', 'create', 'twice', '--name', 'Zoe']);
    await service.catchUp(7);
  }, 120_000);
  afterAll(() => service.database.drop());

  const verify = async (exit: number): Promise<Report> => {
    const { stdout } = await service.run(['verify', '--from-log', '--exact', '--json'], { exit });
    return JSON.parse(stdout) as Report;
  };

  test.each([
    {
      what: 'a row that was changed',
      sql: `update public.users set name = 'X' where user_id = (select min(user_id) from public.users)`,
      found: [{ kind: 'field', column: 'name' }],
    },
    {
      what: 'a row that was removed',
      sql: `delete from public.users where user_id = (select max(user_id) from public.users)`,
      found: [{ kind: 'row missing' }],
    },
    {
      what: 'a row that was added',
      sql: `insert into public.users (user_id, name) values ('stranger', 'X')`,
      found: [{ kind: 'row unknown' }],
    },
    {
      what: 'a deleted user who is back',
      sql: `insert into public.users (user_id) select user_id from LEDGER l where operation = 'delete'
        and not exists (select from public.users u where u.user_id = l.user_id) limit 1`,
      found: [{ kind: 'row unexpected' }],
    },
  ])('$what', async ({ sql, found }) => {
    await verify(0);
    const { database } = service;
    const changed = await database.pool.query(sql.replaceAll('LEDGER', `${database.schema}.ledger`));
    expect(changed.rowCount).toBe(1);
    const { differenceCount, differences } = await verify(6);
    expect(differences).toEqual(found.map((each) => expect.objectContaining(each)));
    expect(differenceCount).toBe(found.length);
    await service.run(['rebuild', '--from-log', '--exact', '--yes']);
    await verify(0);
  });

  test('an applied event that is called something else, which only its status itself can mend', async () => {
    await verify(0);
    const { pool, schema } = service.database;
    const { rows } = await pool.query<{ event_id: string }>(
      `select event_id from ${schema}.ledger where user_id = 'twice' and status = 'applied'`,
    );
    const values = [rows[0]?.event_id];
    await pool.query(`update ${schema}.ledger set status = 'skipped' where event_id = $1`, values);
    expect(await verify(6)).toMatchObject({
      differences: [{ kind: 'ledger', problem: 'skipped by nobody' }],
      ledgerProblems: 1,
    });
    await service.run(['rebuild', '--from-log', '--exact', '--yes'], { exit: 6 });
    await pool.query(`update ${schema}.ledger set status = 'applied' where event_id = $1`, values);
    await verify(0);
  });

  test('an applied event that is called rolled back', async () => {
    const { pool, schema } = service.database;
    const last = `select event_id from ${schema}.ledger where status = 'applied' and operation = 'update' order by "offset" desc limit 1`;
    await pool.query(`update ${schema}.ledger set status = 'rolled_back' where event_id = (${last})`);
    const { differences } = await verify(6);
    expect(differences).toContainEqual(
      expect.objectContaining({ kind: 'ledger', problem: 'not what stands' }),
    );
  });
});
