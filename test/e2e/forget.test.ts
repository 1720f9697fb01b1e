import { expect, test } from '@jest/globals';
import { expectDrain, useConsumingServices } from '../support/consuming-service.ts';
import { describeKafka } from '../support/describe-kafka.ts';

const WRONG = '018f3c1e-7b7c-7def-8abc-0000000000a1';
const TABLE = `create table public.users (user_id text primary key, name text,
  email text constraint email_has_an_at check (email like '%@%'))`;

describeKafka('forget beside a running consumer', () => {
  const openService = useConsumingServices({ table: TABLE });

  test('leaves nothing of the person in this service, and replays and decisions as they were', async () => {
    const service = await openService({ events: 400 });
    const { pool, schema } = service.database;
    const consumer = await service.start();
    const decided = async (): Promise<unknown> =>
      (
        await pool.query(
          `select event_id, partition, "offset", operation, status, error_code from ${schema}.ledger
           where user_id = 'jd' order by "offset"`,
        )
      ).rows;
    /** Tables of the ledger in which the person is still named. */
    const named = async (): Promise<readonly string[]> => {
      const found: string[] = [];
      for (const table of ['ledger', 'attempt', 'base', 'put_back']) {
        const { rowCount } = await pool.query(
          `select from ${schema}.${table} t where row_to_json(t)::text ilike '%jane%'`,
        );
        if (rowCount !== 0) found.push(table);
      }
      return found;
    };

    await service.run(['publish', 'create', 'jd', '--name', 'Jane', '--email', 'jane@example.com']);
    await service.run(['publish', 'update', 'jd', '--email', 'jane.example.com', '--event-id', WRONG]);
    await service.run(['publish', 'update', 'jd', '--name', 'Jane Doe']);
    await service.executed(403);
    await service.run([
      'rollback',
      '--event-id',
      WRONG,
      '--only',
      '--yes',
      '--reason',
      'Jane called',
      '--wait',
    ]);
    await service.run(['publish', 'delete', 'jd', '--wait']);
    const before = await decided();
    expect(before).toHaveLength(5);
    expect(await named()).toEqual(['ledger', 'attempt']);

    const publishing = service.publish(400, 8);
    await service.run(['forget', 'jd', '--yes']);
    await publishing;
    expect(await named()).toEqual([]);
    expect(await decided()).toEqual(before);

    // All of theirs comes once more: known by their ids, nothing is executed.
    const { stdout: input } = await service.run(['log', '--json', '--user', 'jd']);
    await service.run(['publish', '--from-file', '-'], { input });
    await service.run(['status', '--wait', '--timeout', '30']);
    expect(await decided()).toEqual(before);
    expect(await named()).toEqual([]);
    expect(await service.users()).not.toHaveProperty('jd');
    await service.run(['verify', '--from-log']);

    // Whoever comes back is a new user.
    await service.run(['publish', 'create', 'jd', '--name', 'J.', '--wait']);
    expect(await service.users()).toMatchObject({ jd: { name: 'J.', email: null } });
    await service.run(['verify']);
    await expectDrain(consumer);
  }, 120_000);
});
