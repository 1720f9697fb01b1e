import { beforeAll, describe, expect, test } from '@jest/globals';
import { runCli, spawnCli } from '../support/cli.ts';
import { countLedger, useConsumingServices } from '../support/consuming-service.ts';
import { describeKafka } from '../support/describe-kafka.ts';
import { CODECS, type Codec } from '../support/each-codec.ts';
import { uniqueName } from '../support/names.ts';
import { waitFor } from '../support/wait-for.ts';

const EVENTS = 6_000;

describeKafka('kill -9 of consume', () => {
  // A database and a group for each test: a dead member of another group keeps nobody waiting.
  const useService = useConsumingServices();
  const topic = uniqueName('crash');
  const openService = (codec: Codec) => useService({ topic, codec });

  beforeAll(async () => {
    await (await openService('on')).publish(EVENTS);
  }, 60_000);

  describe.each(CODECS)('with the fast codec %s', (codec) => {
    test.each([
      ['before-statement', 5],
      ['after-statement', 5],
      ['before-commit', 1],
      ['after-commit', 1],
    ])(
      'at the point %s leaves table, ledger and position in agreement',
      async (point, times) => {
        const service = await openService(codec);
        const killed = await runCli(['consume', '--batch-size', '100'], {
          env: { ...service.env, USER_EVENTS_FAULT_POINT: `${point}:${String(times)}` },
          timeoutMs: 60_000,
        });
        expect(killed).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
        expect(await countLedger(service.database)).toBeGreaterThan(0);
        await service.expectGuarantees();
      },
      90_000,
    );

    test('while a statement waits for a lock leaves table, ledger and position in agreement', async () => {
      const service = await openService(codec);
      const { pool } = service.database;
      const holder = await pool.connect();
      try {
        await holder.query('begin; lock table public.users in share mode');
        const cli = await spawnCli(['consume', '--batch-size', '50'], { env: service.env });
        await waitFor(
          async () => {
            const { rows } = await pool.query(
              `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
            );
            return rows.length > 0;
          },
          { timeoutMs: 30_000, describe: () => 'the batch statement to wait for the lock' },
        );
        cli.kill('SIGKILL');
        await cli.ended;
        await holder.query('rollback');
      } finally {
        holder.release();
      }
      await service.expectGuarantees();
    }, 60_000);
  });

  test('at random moments, and a new start each time with the other codec, executes every event once', async () => {
    const service = await openService('on');
    const envOf = (codec: Codec) => ({ ...service.env, USER_EVENTS_FAST_CODEC: codec });
    for (const [share, codec] of [
      [0.1, 'on'],
      [0.4, 'off'],
      [0.7, 'on'],
    ] as const) {
      const cli = await spawnCli(['consume', '--json', '--batch-size', '40'], { env: envOf(codec) });
      const wanted = Math.floor(EVENTS * share);
      await waitFor(async () => (await countLedger(service.database)) >= wanted, {
        timeoutMs: 60_000,
        describe: () => `${String(wanted)} events in the ledger`,
      });
      cli.kill('SIGKILL');
      await cli.ended;
      await service.expectGuarantees();
    }
    const last = await runCli(['consume', '--until-end'], { env: envOf('off'), timeoutMs: 60_000 });
    expect(last).toMatchObject({ exitCode: 0 });
    await service.expectGuarantees();
    const { rows } = await service.database.pool.query(
      `select count(*)::int as n, count(distinct event_id)::int as ids from user_events.ledger where status = 'applied'`,
    );
    expect(rows).toEqual([{ n: EVENTS, ids: EVENTS }]);
  }, 180_000);
});
