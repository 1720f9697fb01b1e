import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawnCli, type RunningCli } from '../support/cli.ts';
import { describeKafka } from '../support/describe-kafka.ts';
import { brokenGuarantees } from '../support/invariants.ts';
import { uniqueName } from '../support/names.ts';
import { sampleEvents } from '../support/sample-users.ts';
import { openService, type Service } from '../support/services-under-test.ts';
import { waitFor } from '../support/wait-for.ts';

const EVENTS = 300;

describeKafka('who watches consume', () => {
  const topic = uniqueName('watch');
  const services: Service[] = [];

  async function open(): Promise<Service> {
    const service = await openService({ topic });
    services.push(service);
    return service;
  }

  beforeAll(async () => {
    const service = await open();
    await service.run(['publish', '--from-file', '-'], { input: sampleEvents(EVENTS, 60) });
  }, 60_000);
  afterAll(async () => {
    for (const { database } of services) await database.drop();
  });

  test('gets one JSON line an interval, and the summary as the last one', async () => {
    const { env } = await open();
    const cli = await spawnCli(['consume', '--json', '--interval', '1'], { env });
    await cli.waitForOutput(/"events":300,[^\n]*"lag":0,[^\n]*\n/);
    cli.kill('SIGTERM');
    const { exitCode, stdout } = await cli.ended;
    expect(exitCode).toBe(0);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const last = lines.at(-2);
    expect(last).toMatchObject({ _command: 'consume', _version: 1, elapsedMs: expect.any(Number) });
    expect(last?.['progress']).toMatchObject({
      ...{ events: EVENTS, applied: EVENTS, failed: 0, parked: 0, duplicates: 0 },
      ...{ eventsPerSecond: expect.any(Number), lag: 0, lagSeconds: 0, secondsLeft: 0, waitsFor: [] },
    });
    const { partitions } = last?.['progress'] as {
      partitions: { position: number; highWatermark: number }[];
    };
    expect(partitions).toHaveLength(4);
    expect(partitions.reduce((sum, { position }) => sum + position, 0)).toBe(EVENTS);
    expect(partitions.every(({ position, highWatermark }) => position === highWatermark)).toBe(true);
    expect(lines.at(-1)).toMatchObject({
      ...{ _command: 'consume', _version: 1, endedBy: 'signal', stoppedBy: null },
      ...{ events: EVENTS, applied: EVENTS, failed: 0, parked: 0, duplicates: 0 },
      ...{ elapsedMs: expect.any(Number), eventsPerSecond: expect.any(Number) },
    });
  }, 60_000);

  test('gets a line now and then in a pipe, and the summary as text', async () => {
    const { env } = await open();
    const cli = await spawnCli(['consume', '--interval', '1'], { env });
    await cli.waitForOutput(/^Consumed 300 \([\d,]+\/s\), lag 0$/m, { stream: 'stderr' });
    cli.kill('SIGTERM');
    const { exitCode, stdout, stderr } = await cli.ended;
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Decided on 300 events in \d+\.\d s, \d+\/s: 300 applied\n$/);
    expect(stderr).not.toContain('\u001b');
  }, 60_000);

  /** A consumer whose first batch waits for a lock that the test holds, until `release`. */
  async function heldUp(service: Service): Promise<{ cli: RunningCli; release: () => Promise<void> }> {
    const { pool } = service.database;
    const holder = await pool.connect();
    await holder.query('begin; lock table public.users in share mode');
    const cli = await spawnCli(['consume', '--batch-size', '20'], { env: service.env });
    await waitFor(
      async () => {
        const { rows } = await pool.query(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return rows.length > 0;
      },
      { timeoutMs: 30_000, describe: 'a batch to wait for the lock' },
    );
    return {
      cli,
      async release() {
        await holder.query('rollback');
        holder.release();
      },
    };
  }

  async function decided({ database: { pool, schema } }: Service): Promise<number> {
    const { rows } = await pool.query<{ n: number }>(`select count(*)::int as n from ${schema}.ledger`);
    return rows[0]?.n ?? 0;
  }

  test.each([
    ['SIGTERM', 0],
    ['SIGINT', 130],
  ] as const)(
    'who sends %s has the batch under way finished, and exit %i',
    async (signal, exitCode) => {
      const service = await open();
      const { cli, release } = await heldUp(service);
      cli.kill(signal);
      expect(await decided(service)).toBe(0);
      await release();
      const result = await cli.ended;
      expect(result).toMatchObject({ exitCode, signal: null });
      const events = await decided(service);
      // A batch a partition at the most, of four; what comes after them is not begun.
      expect(events).toBeGreaterThan(0);
      expect(events).toBeLessThanOrEqual(80);
      expect(result.stdout).toContain(`Decided on ${String(events)} events`);
      const { pool, schema } = service.database;
      expect(await brokenGuarantees(pool, schema, ['name', 'email'])).toEqual([]);
    },
    60_000,
  );

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'who sends %s twice has it leave at once with 130, whatever it waits for, and loses nothing',
    async (signal) => {
      const service = await open();
      const { cli, release } = await heldUp(service);
      const again = setInterval(() => {
        cli.kill(signal);
      }, 50);
      const result = await cli.ended.finally(() => {
        clearInterval(again);
      });
      expect(result).toMatchObject({ exitCode: 130, signal: null, stdout: '' });
      expect(await decided(service)).toBe(0);
      await release();
      await service.catchUp();
      expect(await decided(service)).toBe(EVENTS);
      const { pool, schema } = service.database;
      expect(await brokenGuarantees(pool, schema, ['name', 'email'])).toEqual([]);
    },
    60_000,
  );
});
