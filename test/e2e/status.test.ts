import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { runCli, spawnCli, type RunningCli } from '../support/cli.ts';
import { expectDrain, useConsumingServices, type ConsumingService } from '../support/consuming-service.ts';
import { describeKafka } from '../support/describe-kafka.ts';
import { startFragilePostgres } from '../support/fragile-postgres.ts';
import { waitFor } from '../support/wait-for.ts';

interface Status {
  readonly lag: number;
  readonly lagSeconds: number | null;
  readonly rate: number | null;
  readonly catchUpSeconds: number | null;
  readonly members: { memberId: string; clientId: string; host: string; partitions: number[] }[];
  readonly partitions: { partition: number; lag: number; position: number | null; memberId: string | null }[];
}
interface Looks {
  readonly at: string;
  readonly services: { profile: string | null; status: Status | null; error: { code: string } | null }[];
}

const NOBODY = '127.0.0.1:1';
/** The consumer waits for this lock where it would write; who reads positions does not. */
const STANDSTILL = 'begin; lock table POSITION in share row exclusive mode';

const statusOf = async (service: ConsumingService): Promise<Status> =>
  JSON.parse((await service.run(['status', '--json'])).stdout) as Status;

/** What a watcher has printed so far, an object a look. */
const looksOf = (watcher: RunningCli): Looks[] =>
  watcher.output.stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Looks);

async function untilLook(watcher: RunningCli, isIt: (look: Looks) => boolean, what: string): Promise<Looks> {
  const find = (): Looks | undefined => looksOf(watcher).find(isIt);
  return waitFor(find, { timeoutMs: 30_000, describe: () => `${what}\n${watcher.output.stdout}` });
}

/** A config file with these profiles; a terminal's environment would hold nothing else. */
async function profiles(settings: Record<string, object>): Promise<{ USER_EVENTS_CONFIG: string }> {
  const file = path.join(await mkdtemp(path.join(tmpdir(), 'user-events-status-')), 'config.json');
  await writeFile(file, JSON.stringify({ profiles: settings }), { mode: 0o600 });
  return { USER_EVENTS_CONFIG: file };
}

function profileOf({ env }: ConsumingService): Record<string, string | undefined> {
  const { KAFKA_BROKERS, KAFKA_TOPIC, KAFKA_GROUP_ID, DATABASE_URL } = env;
  return { brokers: KAFKA_BROKERS, topic: KAFKA_TOPIC, group: KAFKA_GROUP_ID, databaseUrl: DATABASE_URL };
}

describeKafka('status', () => {
  const openService = useConsumingServices();

  test('shows who consumes what while a consumer runs, and nobody once it has left', async () => {
    const service = await openService({ partitions: 3, events: 90 });
    expect(await statusOf(service)).toMatchObject({ lag: 90, members: [], rate: null });
    const consumer = await service.start();
    await service.run(['status', '--wait', '--timeout', '30']);
    const { members, partitions, lag } = await statusOf(service);
    expect(lag).toBe(0);
    expect(members).toEqual([
      {
        memberId: expect.stringMatching(/^user-events-/),
        clientId: 'user-events',
        host: expect.stringMatching(/^[\d.:a-f]+$/),
        partitions: [0, 1, 2],
      },
    ]);
    expect(partitions.map(({ memberId }) => memberId)).toEqual(Array(3).fill(members[0]?.memberId));
    const { stdout } = await service.run(['status']);
    expect(stdout).toMatch(/^members +1$/m);
    expect(stdout).toMatch(/^user-events-\S+ +user-events +\S+ +0,1,2$/m);
    await expectDrain(consumer);
    expect(await statusOf(service)).toMatchObject({ members: [] });
    expect((await service.run(['status'])).stdout).toMatch(/^members +none: no consumer is running$/m);
  });

  test('says that a consumer does not move while something holds it up, and what is behind meanwhile', async () => {
    const service = await openService({ partitions: 2 });
    const consumer = await service.start();
    await waitFor(async () => (await statusOf(service)).members[0]?.partitions.length === 2, {
      timeoutMs: 30_000,
      describe: 'the consumer in its group',
    });
    const blocker = await service.database.pool.connect();
    await blocker.query(STANDSTILL.replace('POSITION', `${service.database.schema}.position`));
    try {
      await service.publish(50);
      const stuck = await statusOf(service);
      expect(stuck).toMatchObject({ lag: 50, rate: 0, catchUpSeconds: null });
      expect(stuck.lagSeconds).not.toBeNull();
      expect((await service.run(['status'])).stdout).toMatch(/^rate +not moving$/m);
    } finally {
      await blocker.query('rollback');
      blocker.release();
    }
    await service.run(['status', '--wait', '--timeout', '30']);
    await expectDrain(consumer);
  });

  test('watches: an object a look with the rate between two of them, until it is interrupted', async () => {
    const service = await openService({ events: 2000 });
    const watcher = await spawnCli(['status', '--watch', '--interval', '1', '--json'], { env: service.env });
    await untilLook(watcher, ({ services }) => services[0]?.status?.rate === 0, 'a rate of none');
    const consumer = await service.start();
    const done = await untilLook(watcher, ({ services }) => services[0]?.status?.lag === 0, 'no lag');
    const seen = looksOf(watcher).map(({ services }) => services[0]?.status);
    const moved = seen.reduce((sum, status) => sum + (status?.rate ?? 0), 0);
    expect(seen[0]).toMatchObject({ lag: 2000, rate: null });
    // Looks are about a second apart, on a machine that is shared.
    expect(moved).toBeGreaterThan(2000 / 10);
    expect(done.services[0]?.status?.catchUpSeconds).toBe(0);
    watcher.kill('SIGINT');
    expect((await watcher.ended).exitCode).toBe(130);
    await expectDrain(consumer);
  });

  test('watches in a pipe with a line a look, and rides out a database that is away', async () => {
    const server = await startFragilePostgres();
    try {
      const { env } = await server.openService();
      const watcher = await spawnCli(['status', '--watch', '--interval', '1'], { env });
      const line = String.raw`\d{4}-\S+Z {2}lag 0 {2}(0/s {2})?members 0 {2}failed 0 {2}parked 0\n`;
      await watcher.waitForOutput(new RegExp(`^(${line}){2}`));
      await server.shutDownAtOnce();
      await watcher.waitForOutput(/^\d{4}-\S+Z {2}DATABASE_UNREACHABLE: PostgreSQL at .+\n/m);
      await server.start();
      await watcher.waitForOutput(new RegExp(`DATABASE_UNREACHABLE: .+\n${line}`));
      watcher.kill('SIGINT');
      expect((await watcher.ended).exitCode).toBe(130);
    } finally {
      await server.close();
    }
  });

  test('shows several services side by side; one that is away hides no other, and is exit 4', async () => {
    const [one, two] = [await openService({ events: 12 }), await openService({ partitions: 1 })];
    const env = await profiles({
      one: profileOf(one),
      two: profileOf(two),
      'no-database': { ...profileOf(one), databaseUrl: `postgres://nobody@${NOBODY}/none` },
      'no-log': { ...profileOf(two), brokers: NOBODY },
    });
    const status = (...args: string[]) => runCli(['status', ...args], { env });
    const both = ['--profile', 'one', '--profile', 'two'];
    const all = [...both, '--profile', 'no-database', '--profile', 'no-log'];

    const fine = await status(...both);
    expect(fine).toMatchObject({ exitCode: 0, stderr: '' });
    expect(fine.stdout).toMatch(/^one +\S+ +0 +12 /m);
    expect(fine.stdout).toMatch(/^two +\S+ +0 +0 /m);

    const away = await status(...all, '--json');
    expect(away.exitCode).toBe(4);
    expect(JSON.parse(away.stdout)).toMatchObject({
      _command: 'status',
      services: [
        { profile: 'one', status: { lag: 12 }, error: null },
        { profile: 'two', status: { lag: 0 }, error: null },
        { profile: 'no-database', status: null, error: { code: 'DATABASE_UNREACHABLE' } },
        { profile: 'no-log', status: null, error: { code: 'LOG_UNREACHABLE' } },
      ],
    });
    const text = await status(...all);
    expect(text.exitCode).toBe(4);
    expect(text.stdout).toMatch(/^no-log +away$/m);
    expect(text.stdout).toMatch(/^one +\S+ +0 +12 /m);

    expect((await status('--profile', 'two', '--wait', '--timeout', '5')).exitCode).toBe(0);
    const late = await status(...both, '--wait', '--timeout', '1', '--json');
    expect(late.exitCode).toBe(6);
    expect(JSON.parse(late.stdout)).toMatchObject({
      services: [{ error: { code: 'TIMED_OUT' } }, { status: { lag: 0 } }],
    });
    expect(await status('--profile', 'one', '--profile', 'nope')).toMatchObject({ exitCode: 3, stdout: '' });
  });
});
