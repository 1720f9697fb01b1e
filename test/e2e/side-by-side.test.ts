import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { configFile } from '../support/config-file.ts';
import { runCli, type CliResult } from '../support/cli.ts';
import { describeKafka } from '../support/describe-kafka.ts';
import { uniqueName } from '../support/names.ts';
import { openService, type Service } from '../support/services-under-test.ts';

const WRONG = '018f3c1e-7b7c-7def-8abc-0000000000c1';
const TABLE = `create table public.users (user_id text primary key, name text, email text)`;
const BOTH = ['--profile', 'orders', '--profile', 'billing'];

interface Matrix {
  readonly services: readonly {
    readonly profile: string;
    readonly error: { readonly code: string } | null;
  }[];
  readonly events: readonly {
    readonly eventId: string;
    readonly operation: string;
    readonly decisions: Readonly<Record<string, { readonly status: string; readonly code: string | null }>>;
  }[];
}

/** The demo's story: an event that one of two services refuses, its trace, its rollback, and both equal after it. */
describeKafka('two services side by side', () => {
  let orders: Service;
  let billing: Service;
  let file: string;
  beforeAll(async () => {
    const topic = uniqueName('side');
    orders = await openService({ topic, table: TABLE });
    billing = await openService({
      topic,
      table: TABLE.replace('email text', `email text constraint email_has_an_at check (email like '%@%')`),
    });
    const profileOf = ({ env, group }: Service): object => ({
      brokers: env['KAFKA_BROKERS'],
      topic,
      group,
      databaseUrl: env['DATABASE_URL'],
    });
    file = await configFile({
      orders: profileOf(orders),
      billing: profileOf(billing),
      away: { ...profileOf(orders), databaseUrl: 'postgres://nobody@127.0.0.1:1/none' },
    });
    await orders.run(['publish', 'create', 'ada', '--name', 'Ada', '--email', 'ada@example.com']);
    await orders.run(['publish', 'update', 'ada', '--email', 'nowhere', '--event-id', WRONG]);
    await orders.run(['publish', 'update', 'ada', '--name', 'Ada King']);
    await orders.catchUp();
    await billing.catchUp(7);
  }, 90_000);
  afterAll(async () => {
    await orders.database.drop();
    await billing.database.drop();
  });

  const run = async (args: readonly string[], exit = 0): Promise<CliResult> => {
    const result = await runCli(args, { env: { USER_EVENTS_CONFIG: file } });
    expect({ args, ...result }).toMatchObject({ args, exitCode: exit });
    return result;
  };
  const statuses = async (): Promise<string[]> => {
    const { stdout } = await run(['trace', WRONG, ...BOTH, '--json']);
    const { events } = JSON.parse(stdout) as Matrix;
    return events.map(
      ({ operation, decisions }) =>
        `${operation} ${decisions['orders']?.status ?? ''}/${decisions['billing']?.status ?? ''}`,
    );
  };

  test('trace shows who has executed what, and the event that was asked for', async () => {
    const { stdout } = await run(['trace', WRONG, ...BOTH]);
    expect(stdout).toMatch(/EVENT +OPERATION +orders +billing\n/);
    expect(stdout).toMatch(new RegExp(`▸ .*${WRONG} +update +applied +failed DATABASE_CONSTRAINT`));
    expect(await statuses()).toEqual([
      'create applied/applied',
      'update applied/failed',
      'update applied/parked',
    ]);
    const byUser = await run(['trace', '--user', 'ada', ...BOTH, '--json']);
    expect((JSON.parse(byUser.stdout) as Matrix).events).toHaveLength(3);
  }, 60_000);

  test('the profile of the environment is the one meant, and profiles that are named go before it', async () => {
    const env = { USER_EVENTS_CONFIG: file, USER_EVENTS_PROFILE: 'billing' };
    for (const [args, found] of [
      [['trace', WRONG], '"status":"failed"'],
      [['rollback', '--event-id', WRONG, '--only', '--dry-run'], '"from":"failed"'],
      [['status'], '"failed":1'],
    ] as const) {
      const one = await runCli([...args, '--json'], { env });
      expect(one).toMatchObject({ exitCode: 0, stderr: '' });
      expect(one.stdout).toContain(found);
      const both = await runCli([...args, ...BOTH, '--json'], { env });
      expect(both).toMatchObject({ exitCode: 0 });
      expect(JSON.parse(both.stdout)).toMatchObject({
        services: [{ profile: 'orders' }, { profile: 'billing' }],
      });
    }
  }, 60_000);

  test('a dry run shows the plan in each of them, and sends nothing', async () => {
    const before = (await orders.run(['log', '--json', '-o', 'start'])).stdout;
    const { stdout } = await run(['rollback', '--event-id', WRONG, '--only', '--dry-run', ...BOTH]);
    expect(stdout).toMatch(/FIELD +orders NOW +THEN +billing NOW +THEN\n/);
    expect(stdout).toMatch(/email +nowhere +ada@example\.com +ada@example\.com +ada@example\.com\n/);
    expect(stdout).toMatch(/name +Ada King +Ada King +Ada +Ada King\n/);
    expect(stdout).toMatch(new RegExp(`${WRONG} +update +applied → rolled_back +failed → rolled_back`));
    expect((await orders.run(['log', '--json', '-o', 'start'])).stdout).toBe(before);
    const refused = await run(['rollback', '--event-id', WRONG, '--only', '--yes', ...BOTH], 2);
    expect(refused.stderr).toContain('USAGE');
  }, 60_000);

  test('a service that is away has its error in its column, and the exit says so', async () => {
    const profiles = ['--profile', 'orders', '--profile', 'away'];
    const { stdout } = await run(['trace', WRONG, ...profiles, '--json'], 4);
    const { services, events } = JSON.parse(stdout) as Matrix;
    expect(services).toMatchObject([{ error: null }, { error: { code: 'DATABASE_UNREACHABLE' } }]);
    expect(events[1]?.decisions).toEqual({ orders: expect.objectContaining({ status: 'applied' }) });
    const planned = await run(['rollback', '--event-id', WRONG, '--only', '--dry-run', ...profiles], 4);
    expect(planned.stdout).toMatch(/away: .*\(DATABASE_UNREACHABLE\)/);
  }, 60_000);

  test('no service knows an event that is nowhere', async () => {
    const { stderr } = await run(['trace', '018f3c1e-7b7c-7def-8abc-00000000ffff', ...BOTH], 5);
    expect(stderr).toContain('EVENT_NOT_FOUND');
  }, 60_000);

  test('what is sent is pending in each service until it is executed, and the trail names who and why', async () => {
    const reason = 'no address';
    const env = { USER_EVENTS_OPERATOR: 'olga@desk', USER_EVENTS_CONFIG: file };
    const args = [
      'rollback',
      '--event-id',
      WRONG,
      '--only',
      '--reason',
      reason,
      '--yes',
      '--profile',
      'billing',
    ];
    expect(await runCli(args, { env })).toMatchObject({ exitCode: 0 });
    expect((await statuses()).at(-1)).toBe('rollback pending/pending');
    const underWay = await run(['trace', WRONG, '--profile', 'orders']);
    expect(underWay.stdout).toMatch(/Under way[\s\S]*by olga@desk: no address/);
    const timeline = await run(['trace', '--user', 'ada', '--profile', 'orders']);
    expect(timeline.stdout).toMatch(
      /update .*applied\n +decided .*Z, published by \/user-events\/.*\n +email /,
    );
    expect(timeline.stdout).toMatch(/not executed by this service yet\n.*rollback .*pending/);
    await orders.catchUp();
    expect((await statuses()).at(-1)).toBe('rollback applied/pending');
    await billing.catchUp();
    expect(await statuses()).toEqual([
      'create applied/applied',
      'update rolled_back/rolled_back',
      'update applied/applied',
      'rollback applied/applied',
    ]);
    expect(await orders.users()).toEqual({ ada: { name: 'Ada King', email: 'ada@example.com' } });
    expect(await billing.users()).toEqual(await orders.users());
    for (const profile of ['orders', 'billing']) {
      const { stdout } = await run(['trace', WRONG, '--profile', profile]);
      expect(stdout).toMatch(/Withdrawn by[\s\S]*by olga@desk: no address/);
      expect(stdout).toMatch(/Decided again[\s\S]*rollback by olga@desk/);
    }
  }, 90_000);

  test('an event that no service has read is found in the log, and pending in each', async () => {
    const unread = '018f3c1e-7b7c-7def-8abc-0000000000c9';
    await orders.run(['publish', 'create', 'grace', '--name', 'Grace', '--event-id', unread]);
    const { stdout } = await run(['trace', unread, ...BOTH, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      userId: 'grace',
      events: [{ decisions: { orders: { status: 'pending' }, billing: { status: 'pending' } } }],
    });
    await run(['trace', unread, ...BOTH, '--no-scan'], 5);
  }, 60_000);
});
