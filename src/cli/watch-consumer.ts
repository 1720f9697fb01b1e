import type { ConsumeObserver } from '../app/consume/consume-options.ts';
import { LagWatch } from '../app/consume/lag-watch.ts';
import { takesWrites } from '../app/consume/look-at-database.ts';
import { Probe } from '../app/consume/probe.ts';
import type { MetricsServer } from '../metrics/serve-metrics.ts';
import { ConsumeReporter, type ReporterOutput } from './consume-reporter.ts';
import type { Context } from './context.ts';

/** Of the one connection that looks whether the database takes writes: longer is no answer, ms. */
const DATABASE_ANSWERS_WITHIN_MS = 5_000;

/** Where the reporter writes. */
export type WatchOutput = Omit<ReporterOutput, 'lag' | 'intervalMs'>;

/** Whoever watches one consumer: people or scripts by its output, and Prometheus where a port is given. */
export interface ConsumerWatch {
  readonly observe: ConsumeObserver;
  readonly reporter: ConsumeReporter;
  /** Tells and serves nothing more. Safe to repeat. */
  stop(): Promise<void>;
}

/** Begins to watch, before anything connects. METRICS_NOT_SERVED where the port cannot be had. */
export async function watchConsumer(
  context: Context,
  output: WatchOutput,
  version: string,
): Promise<ConsumerWatch> {
  const lag = new LagWatch(
    async () => (await context.log('long')).watermarks(),
    () => context.now(),
  );
  const server = await serveMetricsIfAsked(context, lag, version);
  if (server !== null) output.notice(`Metrics are served at ${server.url}/metrics`);
  const { intervalSeconds } = context.config;
  const intervalMs = intervalSeconds === null ? null : intervalSeconds * 1000;
  const reporter = new ConsumeReporter({ ...output, lag, intervalMs });
  return {
    observe: observeAll(lag, server === null ? [reporter] : [reporter, server.observer]),
    reporter,
    async stop() {
      reporter.stop();
      await server?.close();
    },
  };
}

/** The server, and prom-client with it, is loaded where a port is given. */
async function serveMetricsIfAsked(
  context: Context,
  lag: LagWatch,
  version: string,
): Promise<MetricsServer | null> {
  const { metrics, topic, group, schema } = context.config;
  if (metrics === null) return null;
  const { serveMetrics } = await import('../metrics/serve-metrics.ts');
  const looking = { maxConnections: 1, answerWithinMs: DATABASE_ANSWERS_WITHIN_MS };
  let looker: ReturnType<Context['databaseBeside']> | null = null;
  const database = new Probe(async () =>
    takesWrites((await (looker ??= context.databaseBeside(looking))).pool),
  );
  const labels = { version, topic, group, schema };
  return serveMetrics(metrics, { labels, lag, database, signal: context.signal });
}

function observeAll(lag: LagWatch, all: readonly ConsumeObserver[]): ConsumeObserver {
  return {
    onStarted(view) {
      lag.follow(view);
      for (const each of all) each.onStarted(view);
    },
    onApplied(applied, tally) {
      for (const each of all) each.onApplied(applied, tally);
    },
    onFailed(event) {
      for (const each of all) each.onFailed(event);
    },
    onAssigned(partitions) {
      for (const each of all) each.onAssigned(partitions);
    },
    onKeyless() {
      for (const each of all) each.onKeyless();
    },
    onTrouble(what, message) {
      for (const each of all) each.onTrouble(what, message);
    },
    onUnevenGrowth(from, to) {
      for (const each of all) each.onUnevenGrowth(from, to);
    },
    onPositionLost(error) {
      for (const each of all) each.onPositionLost(error);
    },
  };
}
