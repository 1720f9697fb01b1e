import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { configFile } from '../support/config-file.ts';
import { runCli } from '../support/cli.ts';
import { describeKafka } from '../support/describe-kafka.ts';
import { uniqueName } from '../support/names.ts';
import { openService, type Service } from '../support/services-under-test.ts';

const TABLE = `create table public.users (user_id text primary key, name text constraint name_is_short check (length(name) < 5),
  email text constraint email_has_an_at check (email like '%@%'))`;
const USERS = 120;
const line = (operation: string, userId: string, data: object): string =>
  JSON.stringify({ operation, userId, data });

interface Sent {
  readonly userId: string;
  readonly outcome: string;
  readonly eventId: string | null;
}

describeKafka('choosing many events', () => {
  let service: Service;
  beforeAll(async () => {
    service = await openService({ topic: uniqueName('bulk'), table: TABLE });
    const users = Array.from({ length: USERS }, (_, at) => `u${String(at)}`);
    const lines = [
      ...users.map((user) => line('create', user, { name: 'ok' })),
      ...users.map((user, at) =>
        line('update', user, at % 3 === 0 ? { name: 'too long' } : { email: 'nowhere' }),
      ),
      ...users.map((user) => line('update', user, { email: 'a@b' })),
    ];
    await service.run(['publish', '--from-file', '-'], { input: lines.join('\n') });
    await service.catchUp(7);
  }, 60_000);
  afterAll(() => service.database.drop());

  const rollback = async (args: readonly string[], exit = 0): Promise<readonly Sent[]> => {
    const { stdout } = await service.run(['rollback', '--json', ...args], { exit });
    return (JSON.parse(stdout) as { sent: readonly Sent[] }).sent;
  };
  const outcomes = (sent: readonly Sent[]): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const { outcome } of sent) counts[outcome] = (counts[outcome] ?? 0) + 1;
    return counts;
  };

  test('retry tells those apart that have had their attempts', async () => {
    const { stdout } = await service.run(
      ['retry', '--user', 'u0', '--max-attempts', '1', '--yes', '--json'],
      {
        exit: 7,
      },
    );
    expect(JSON.parse(stdout)).toMatchObject({ events: [{ userId: 'u0', left: 'attempts', attempts: 1 }] });
    const again = await service.run(['retry', '--user', 'u0', '--yes'], { exit: 7 });
    expect(again.stdout).toContain('DATABASE_CONSTRAINT');
    const third = await service.run(['retry', '--user', 'u0', '--max-attempts', '2', '--yes'], { exit: 7 });
    expect(third.stdout).toContain('had 2 attempts: left as it is');
  }, 60_000);

  test('skip by a filter says what it released', async () => {
    const args = ['skip', '--user', 'u2', '--constraint', 'email_has_an_at', '--reason', 'lost', '--yes'];
    const { stdout } = await service.run(args);
    expect(stdout).toMatch(/u2 +skipped +released 1 applied/);
  }, 60_000);

  test('a dry run of many is tried out, each of them', async () => {
    const { stdout } = await service.run(['rollback', '--all-failed', '--only', '--dry-run', '--json']);
    const { plans } = JSON.parse(stdout) as {
      plans: { isTriedOut: boolean; changes: object[]; then: object }[];
    };
    expect(plans).toHaveLength(USERS - 1);
    expect(plans.every(({ isTriedOut, changes }) => isTriedOut && changes.length === 2)).toBe(true);
    expect(plans[0]?.then).toMatchObject({ name: 'ok', email: 'a@b' });
  }, 60_000);

  test('filters choose, what is under way is not sent again, and what is unknown is told while the rest is sent', async () => {
    const short = await rollback(['--constraint', 'name_is_short', '--only', '--yes']);
    expect(outcomes(short)).toEqual({ sent: 40 });
    // Nothing is consumed yet: all the others are sent, and those not a second time.
    const rest = await rollback(['--all-failed', '--only', '--yes']);
    expect(outcomes(rest)).toEqual({ pending: 40, sent: 79 });
    const ids = new Map(short.map(({ userId, eventId }) => [userId, eventId]));
    for (const { userId, eventId, outcome } of rest)
      if (outcome === 'pending') expect(eventId).toBe(ids.get(userId));
    const failures = await service.run(['failures', '--json']);
    const unknown = '018f3c1e-7b7c-7def-8abc-00000000ffff';
    const { stdout } = await service.run(['rollback', '--from-file', '-', '--only', '--yes', '--json'], {
      input: `${failures.stdout}${unknown}\n`,
      exit: 7,
    });
    const third = JSON.parse(stdout) as { sent: Sent[]; rejected: object[] };
    expect(outcomes(third.sent)).toEqual({ pending: 119 });
    expect(third.rejected).toMatchObject([{ eventId: unknown, code: 'EVENT_NOT_FOUND' }]);
    await service.catchUp();
    const users = await service.users();
    expect(Object.values(users).filter(({ name, email }) => name === 'ok' && email === 'a@b')).toHaveLength(
      USERS,
    );
    expect(await rollback(['--all-failed', '--only', '--yes'])).toEqual([]);
  }, 90_000);

  test('the plan of one shows the rollback that is under way', async () => {
    const wrong = '018f3c1e-7b7c-7def-8abc-0000000000b7';
    await service.run(['publish', 'update', 'u7', '--email', 'wrong', '--event-id', wrong]);
    await service.catchUp(7);
    const [sent] = await rollback(['--event-id', wrong, '--only', '--yes']);
    const { stdout } = await service.run(['rollback', '--event-id', wrong, '--only', '--dry-run']);
    expect(stdout).toContain(`under way: rollback ${sent?.eventId ?? ''}`);
    expect(stdout).toMatch(/failed +rolled_back/);
  }, 60_000);

  test('an empty file is nothing to do', async () => {
    const { stdout } = await service.run(['rollback', '--from-file', '-', '--only', '--yes'], { input: '' });
    expect(stdout).toContain('nothing to do');
  }, 60_000);

  test('in production --yes needs the profile’s name beside it, for each command that decides', async () => {
    const env = { ...service.env, USER_EVENTS_CONFIG: await configFile({ default: { production: true } }) };
    const named = ['--event-id', '018f3c1e-7b7c-7def-8abc-0000000000b7'];
    for (const args of [
      ['rollback', ...named, '--cascade'],
      ['retry', '--all-failed'],
      ['skip', '--all-failed', '--reason', 'x'],
    ]) {
      // The rollback under way is executed first, so that there is something to ask about.
      if (args[0] === 'rollback') {
        await service.catchUp();
        await service.run([
          'publish',
          'update',
          'u8',
          '--email',
          'no',
          '--event-id',
          '018f3c1e-7b7c-7def-8abc-0000000000b8',
        ]);
        await service.catchUp(7);
        args[2] = '018f3c1e-7b7c-7def-8abc-0000000000b8';
      }
      const refused = await runCli([...args, '--yes'], { env });
      expect(refused).toMatchObject({ exitCode: 6, stdout: '' });
      expect(refused.stderr).toContain('PRODUCTION_GUARD');
      const asked = await runCli(args, { env });
      expect(asked.stderr).toContain('NO_TERMINAL');
    }
    const done = await runCli(['skip', '--all-failed', '--reason', 'x', '--yes', '--profile', 'default'], {
      env,
    });
    expect(done).toMatchObject({ exitCode: 0 });
  }, 90_000);
});
