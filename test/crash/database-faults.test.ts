import { execFile } from 'node:child_process';
import { chown, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { serverAccount } from '../../src/postgres/embedded-account.ts';
import { spawnCli, type RunningCli } from '../support/cli.ts';
import { userRecord, waitUntilDecided } from '../support/consumer-harness.ts';
import { describeKafka } from '../support/describe-kafka.ts';
import type { Codec } from '../support/each-codec.ts';
import {
  SERVICE_ROLE,
  startFragilePostgres,
  type FragilePostgres,
  type FragileService,
} from '../support/fragile-postgres.ts';
import { brokenGuarantees, committedBeyond } from '../support/invariants.ts';
import { uniqueName } from '../support/names.ts';
import { waitFor } from '../support/wait-for.ts';

const run = promisify(execFile);
const SCHEMA = 'user_events';
const isRoot = process.getuid?.() === 0;
jest.setTimeout(120_000);

describeKafka('a database that fails under a running consumer', () => {
  let server: FragilePostgres;
  let service: FragileService;
  let consumer: RunningCli;
  let published = 0;

  beforeAll(async () => {
    server = await startFragilePostgres();
    service = await server.openService();
    consumer = await startConsumer(service);
  });
  afterAll(async () => {
    consumer.kill('SIGKILL');
    await consumer.ended;
    await server.close();
  });

  async function startConsumer({ env }: FragileService, codec: Codec = 'on'): Promise<RunningCli> {
    const withCodec = { ...env, USER_EVENTS_FAST_CODEC: codec };
    return spawnCli(['consume', '--batch-size', '20'], { env: withCodec });
  }

  /** Publishes creates of new users. */
  async function publish(count: number, { log }: FragileService = service, attributes = {}): Promise<void> {
    const from = published;
    published += count;
    const numbers = Array.from({ length: count }, (_, at) => from + at);
    await log.append(numbers.map((n) => userRecord('create', `u${String(n)}`, { name: 'N', ...attributes })));
  }

  /** Everything that was published is executed once, and the guarantees hold. */
  async function expectAllExecuted({ log, pool, group }: FragileService = service): Promise<void> {
    await waitUntilDecided(log, { pool, schema: SCHEMA }, undefined, 60_000);
    expect(await brokenGuarantees(pool, SCHEMA, ['name'])).toEqual([]);
    expect(await committedBeyond(pool, SCHEMA, log, group)).toEqual([]);
    const { rows } = await pool.query(`select status, count(*)::int as n from ${SCHEMA}.ledger group by 1`);
    const high = (await log.watermarks()).reduce((sum, marks) => sum + Number(marks.high), 0);
    expect(rows).toEqual([{ status: 'applied', n: high }]);
  }

  async function countLedger(): Promise<number> {
    const { rows } = await service.pool.query<{ n: number }>(
      `select count(*)::int as n from ${SCHEMA}.ledger`,
    );
    return rows[0]?.n ?? 0;
  }

  /** Waits for the consumer's next word about the database, from what it has said so far. */
  async function untilTold(
    pattern: RegExp,
    from = consumer.output.stderr.length,
    cli = consumer,
  ): Promise<void> {
    await waitFor(() => pattern.test(cli.output.stderr.slice(from)), {
      timeoutMs: 30_000,
      describe: () => `${String(pattern)} in ${cli.output.stderr.slice(from)}`,
    });
  }
  const IS_AWAY = /The database is away and is waited for/;

  test('by an immediate shutdown in mid-batch, and starts again', async () => {
    await publish(200);
    await expectAllExecuted();
    const holder = await service.pool.connect();
    holder.on('error', () => undefined);
    await holder.query('begin; lock table public.users in share mode');
    await publish(200);
    await waitFor(
      async () =>
        (
          await server.admin.query(
            `select from pg_stat_activity where usename = '${SERVICE_ROLE}' and wait_event_type = 'Lock'`,
          )
        ).rowCount !== 0,
      { describe: 'a statement under way' },
    );
    const told = consumer.output.stderr.length;
    await server.shutDownAtOnce();
    holder.release(true);
    await untilTold(IS_AWAY, told);
    await publish(100);
    await server.start();
    await expectAllExecuted();
  });

  test('by a crash that loses commits which it had answered: they are executed again, none is jumped over', async () => {
    await publish(50);
    await expectAllExecuted();
    await server.configure('wal_writer_delay', '10s');
    await server.configure('synchronous_commit', 'off');
    await service.pool.query('checkpoint');
    await publish(100);
    await expectAllExecuted();
    const before = await countLedger();
    await server.shutDownAtOnce();
    await server.start();
    expect(await countLedger()).toBeLessThan(before);
    await server.configure('synchronous_commit', 'on');
    await server.configure('wal_writer_delay', '200ms');
    await publish(100);
    await untilTold(
      /The database lost what it had of offsets \d+ to \d+: they are read from the log again/,
      0,
    );
    await expectAllExecuted();
  });

  test('by becoming a standby: it is waited for until it is promoted', async () => {
    const told = consumer.output.stderr.length;
    await server.becomeStandby();
    await publish(100);
    await untilTold(IS_AWAY, told);
    const before = await countLedger();
    await waitFor(
      async () =>
        (
          await server.admin.query(
            `select from pg_stat_activity where usename = '${SERVICE_ROLE}' and query like 'with claimed%'`,
          )
        ).rowCount !== 0,
      { describe: 'the standby to have refused a batch' },
    );
    expect(await countLedger()).toBe(before);
    await server.admin.query('select pg_promote()');
    await expectAllExecuted();
    await untilTold(/The database is back/, told);
  });

  test('by ending its sessions again and again under load', async () => {
    // Slow enough to be met at work.
    await service.pool.query(`
      create function public.linger() returns trigger language plpgsql as $$ begin perform pg_sleep(0.002); return new; end $$;
      create trigger linger before insert on public.users for each row execute function public.linger()`);
    await publish(600);
    const end = (await service.log.watermarks()).reduce((sum, marks) => sum + Number(marks.high), 0);
    let killed = 0;
    while ((await countLedger()) < end) {
      const { rowCount } = await server.admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where usename = '${SERVICE_ROLE}' and query like 'with claimed%' and state = 'active'`,
      );
      killed += rowCount ?? 0;
      // As often as it gets to the next batch, but not before it.
      if (rowCount !== 0) await waitForNextBatch(end);
    }
    await service.pool.query('drop function public.linger cascade');
    expect(killed).toBeGreaterThan(3);
    await expectAllExecuted();
  });

  async function waitForNextBatch(end: number): Promise<void> {
    const before = await countLedger();
    await waitFor(async () => (await countLedger()) > Math.min(before, end - 1), {
      timeoutMs: 30_000,
      describe: 'the next batch to be executed',
    });
  }

  test('by having no connection left, at the start and under way', async () => {
    const limit = async (connections: number): Promise<void> => {
      await server.admin.query(`alter database ${service.database} connection limit ${String(connections)}`);
      await server.admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where usename = '${SERVICE_ROLE}'`,
      );
    };
    await limit(0);
    consumer.kill('SIGTERM');
    expect(await consumer.ended).toMatchObject({ exitCode: 0 });
    await publish(50);
    consumer = await startConsumer(service, 'off');
    await untilTold(/no resources left.*too many connections.*53300/, 0);
    await limit(-1);
    await expectAllExecuted();
    const told = consumer.output.stderr.length;
    await limit(0);
    await publish(50);
    await untilTold(/too many connections/, told);
    await limit(-1);
    await expectAllExecuted();
  });

  // A file system of its own can be mounted by root alone, as in the container of the CI.
  (isRoot ? test : test.skip)('by having no space left: it goes on when there is some', async () => {
    const disk = path.join(server.dataDir, 'small');
    await mkdir(disk);
    await run('mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=0700', 'none', disk]);
    try {
      const account = await serverAccount();
      if (account !== null) await chown(disk, account.uid, account.gid);
      await server.admin.query(`create tablespace small location '${disk}'`);
      const small = await server.openService('tablespace small');
      const cli = await startConsumer(small, 'off');
      // As much as fills the disk twice.
      const numbers = Array.from({ length: 100 }, (_, at) => at);
      const large = Object.fromEntries(numbers.map((at) => [`field${String(at)}`, uniqueName('value')]));
      for (let round = 0; round < 40; round++) await publish(100, small, large);
      await untilTold(/away.*No space left on device/, 0, cli);
      expect(cli.output.stderr).not.toContain('Failed');
      await run('mount', ['-o', 'remount,size=200m', disk]);
      await expectAllExecuted(small);
      cli.kill('SIGTERM');
      expect(await cli.ended).toMatchObject({ exitCode: 0 });
      await small.close();
      await server.admin.query(`drop database ${small.database} with (force)`);
      await server.admin.query('drop tablespace small');
    } finally {
      await run('umount', ['-l', disk]);
    }
  });

  test('and the consumer has outlived all of it', async () => {
    expect(await Promise.race([consumer.ended, Promise.resolve('running')])).toBe('running');
    consumer.kill('SIGTERM');
    expect(await consumer.ended).toMatchObject({ exitCode: 0, signal: null });
  });
});
