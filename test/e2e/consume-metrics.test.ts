import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawnCli, type RunningCli } from '../support/cli.ts';
import { describeKafka, describePrivateKafka, startPrivateKafka } from '../support/describe-kafka.ts';
import { uniqueName } from '../support/names.ts';
import { lintFamilies, parsePrometheus, valueOf, type MetricFamily } from '../support/prometheus-text.ts';
import { sampleEvents } from '../support/sample-users.ts';
import { openService, type Service } from '../support/services-under-test.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { waitFor } from '../support/wait-for.ts';

const EVENTS = 400;
const FAILING = [
  '{"operation":"create","userId":"twice"}',
  '{"operation":"create","userId":"twice"}',
  '{"operation":"update","userId":"twice","data":{"name":"behind it"}}',
];

interface Watched {
  readonly cli: RunningCli;
  readonly url: string;
}

/** A consumer that serves its metrics on a free port. */
async function watchedConsumer(
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<Watched> {
  const cli = await spawnCli(['consume', '--metrics-port', '127.0.0.1:0', ...args], { env });
  const [, url = ''] = await cli.waitForOutput(/Metrics are served at (\S+)\/metrics/, { stream: 'stderr' });
  return { cli, url };
}

async function scrape(url: string): Promise<ReadonlyMap<string, MetricFamily>> {
  return parsePrometheus(await (await fetch(`${url}/metrics`)).text());
}

async function readiness(url: string): Promise<string> {
  const answer = await fetch(`${url}/readyz`);
  return `${String(answer.status)} ${await answer.text()}`;
}

function untilReadiness(url: string, wanted: RegExp): Promise<unknown> {
  let found = '';
  return waitFor(async () => wanted.test((found = await readiness(url))), {
    timeoutMs: 40_000,
    describe: () => `readiness ${String(wanted)}, last ${found}`,
  });
}

async function end({ cli }: Watched): Promise<void> {
  cli.kill('SIGTERM');
  expect(await cli.ended).toMatchObject({ exitCode: 0 });
}

describeKafka('the metrics of consume', () => {
  const topic = uniqueName('metrics');
  let service: Service;
  let proxy: TcpProxy;
  let watched: Watched;

  beforeAll(async () => {
    service = await openService({ topic });
    const input = sampleEvents(EVENTS, 100) + FAILING.map((line) => `${line}\n`).join('');
    await service.run(['publish', '--from-file', '-'], { input });
    const address = new URL(service.database.connectionString);
    proxy = await startTcpProxy({ host: address.hostname, port: Number(address.port) });
    address.hostname = '127.0.0.1';
    address.port = String(proxy.port);
    watched = await watchedConsumer({ ...service.env, DATABASE_URL: address.href });
  }, 60_000);
  afterAll(async () => {
    watched.cli.kill('SIGKILL');
    await watched.cli.ended;
    await proxy.close();
    await service.database.drop();
  });

  test('count what was decided, and tell position, lag and batches', async () => {
    const { url } = watched;
    const isThrough = async (): Promise<boolean> =>
      valueOf(await scrape(url), 'user_events_events_total', { outcome: 'applied' }) === EVENTS + 1;
    await waitFor(isThrough, { timeoutMs: 30_000, describe: 'all events to be counted' });
    await untilReadiness(url, /^200 ready/);
    const found = await scrape(url);
    const outcome = (name: string): number => valueOf(found, 'user_events_events_total', { outcome: name });
    expect([outcome('failed'), outcome('parked'), outcome('duplicate')]).toEqual([1, 1, 0]);
    expect(valueOf(found, 'user_events_failures_total', { class: 'rule', code: 'USER_EXISTS' })).toBe(1);
    expect(valueOf(found, 'user_events_assigned_partitions')).toBe(4);
    let events = 0;
    for (const partition of ['0', '1', '2', '3']) {
      const of = (name: string): number => valueOf(found, `user_events_${name}`, { topic, partition });
      expect([of('lag_events'), of('lag_seconds')]).toEqual([0, 0]);
      expect(of('position')).toBe(of('high_watermark'));
      events += of('position');
    }
    expect(events).toBe(EVENTS + FAILING.length);
    const batches = found.get('user_events_batch_events')?.samples ?? [];
    expect(batches.find(({ name }) => name.endsWith('_sum'))?.value).toBe(EVENTS + FAILING.length);
    for (const dependency of ['database', 'log']) {
      expect(valueOf(found, 'user_events_dependency_up', { dependency })).toBe(1);
    }
  }, 60_000);

  test('are in order for a linter, and their labels hold nothing of an event', async () => {
    const found = await scrape(watched.url);
    const own = [...found.values()].filter(({ name }) => name.startsWith('user_events_'));
    expect(own.length).toBeGreaterThan(10);
    expect(lintFamilies(own)).toEqual([]);
    const values = new Set(
      own.flatMap(({ samples }) => samples.flatMap(({ labels }) => Object.values(labels))),
    );
    expect([...values].filter((value) => /user-\d|twice|Zo/.test(value))).toEqual([]);
    const samples = own.reduce((sum, family) => sum + family.samples.length, 0);
    expect(samples).toBeLessThan(120);
  });

  test('are those of docs/metrics.md, no more and no fewer', async () => {
    const text = await readFile(path.resolve(import.meta.dirname, '../../docs/metrics.md'), 'utf8');
    const rows = text.split('\n').filter((line) => /^\| `(user_events|process|nodejs)_/.test(line));
    const listed = rows.flatMap((row) =>
      [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    expect(listed.toSorted()).toEqual([...(await scrape(watched.url)).keys()].toSorted());
  });

  test('are served at their paths alone', async () => {
    const { url } = watched;
    const metrics = await fetch(`${url}/metrics`);
    expect(metrics.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const health = await fetch(`${url}/healthz?verbose`);
    expect([health.status, await health.text()]).toEqual([200, 'alive\n']);
    const head = await fetch(`${url}/healthz`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '6']);
    for (const elsewhere of ['/', '/metrics/', '/healthzz']) {
      expect((await fetch(url + elsewhere)).status).toBe(404);
    }
    expect((await fetch(`${url}/metrics`, { method: 'POST', body: 'x' })).status).toBe(405);
  });

  test('tell that the database does not answer, while the process is alive, and that it is back', async () => {
    const { url } = watched;
    proxy.swallow();
    await untilReadiness(url, /^503 not ready: the database does not answer/);
    expect(valueOf(await scrape(url), 'user_events_dependency_up', { dependency: 'database' })).toBe(0);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    proxy.heal();
    await untilReadiness(url, /^200 /);
    expect(valueOf(await scrape(url), 'user_events_dependency_up', { dependency: 'database' })).toBe(1);
  }, 60_000);

  test('cannot be served where another program listens: exit 3, before anything is consumed', async () => {
    const port = new URL(watched.url).port;
    const second = await spawnCli(['consume', '--metrics-port', `127.0.0.1:${port}`], { env: service.env });
    const { exitCode, stderr } = await second.ended;
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/127\.0\.0\.1:\d+: another program listens there \(METRICS_NOT_SERVED\)\n {2}→ /);
  });

  test('of a consumer beyond the partitions say that it is ready, as a spare', async () => {
    const single = await openService({ topic: uniqueName('single'), initArgs: ['--partitions', '1'] });
    const both = [await watchedConsumer(single.env), await watchedConsumer(single.env)];
    for (const { url } of both) await untilReadiness(url, /^200 /);
    const assigned = async ({ url }: Watched): Promise<number> =>
      valueOf(await scrape(url), 'user_events_assigned_partitions');
    await waitFor(async () => (await Promise.all(both.map(assigned))).toSorted().join() === '0,1', {
      timeoutMs: 30_000,
      describe: 'one to work and one to be spare',
    });
    for (const { url } of both) await untilReadiness(url, /^200 /);
    for (const each of both) await end(each);
    await single.database.drop();
  }, 90_000);
});

describePrivateKafka('the metrics of consume, where the broker goes away', () => {
  test('say so, and that it is back', async () => {
    const kafka = await startPrivateKafka();
    const service = await openService({ topic: uniqueName('away'), brokers: kafka.brokers });
    try {
      const watched = await watchedConsumer(service.env);
      await untilReadiness(watched.url, /^200 /);
      await kafka.kill9();
      await untilReadiness(watched.url, /^503 .*the log does not answer/);
      expect(valueOf(await scrape(watched.url), 'user_events_dependency_up', { dependency: 'log' })).toBe(0);
      await kafka.restart();
      await untilReadiness(watched.url, /^200 /);
      await end(watched);
    } finally {
      await service.database.drop();
      await kafka.remove();
    }
  }, 120_000);
});
