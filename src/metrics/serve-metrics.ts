import type { ConsumeObserver } from '../app/consume/consume-options.ts';
import type { LagWatch } from '../app/consume/lag-watch.ts';
import type { Probe } from '../app/consume/probe.ts';
import { ConsumerMetrics, type ConsumerLabels } from './consumer-metrics.ts';
import { serveHttp, type Answer, type HttpServer, type ListenOn } from './http-server.ts';
import { whyNotReady } from './readiness.ts';
import { StateGauges, type DependencyState } from './state-gauges.ts';

export interface MetricsSources {
  readonly labels: ConsumerLabels;
  readonly lag: LagWatch;
  /** True where the database takes writes. */
  readonly database: Probe<boolean>;
  /** Aborts when the consumer is asked to stop. */
  readonly signal: AbortSignal;
}

export interface MetricsServer extends HttpServer {
  readonly observer: ConsumeObserver;
}

/**
 * Serves a consumer's metrics (`/metrics`), whether its process is alive (`/healthz`: an answer is the proof that its
 * loop turns) and whether it can work (`/readyz`). METRICS_NOT_SERVED where it cannot listen.
 */
export async function serveMetrics(listen: ListenOn, sources: MetricsSources): Promise<MetricsServer> {
  const { labels, lag, database, signal } = sources;
  const metrics = new ConsumerMetrics(labels);
  const gauges = new StateGauges(metrics.registry, labels.topic);
  const look = async (): Promise<DependencyState> => {
    const [behind, { value, isAnswering }] = await Promise.all([lag.look(), database.look()]);
    const up = { database: isAnswering && value === true, log: behind.isLogAnswering };
    gauges.show(behind, up);
    return up;
  };
  const server = await serveHttp(
    listen,
    new Map<string, () => Promise<Answer>>([
      [
        '/metrics',
        async () => {
          await look();
          const body = await metrics.registry.metrics();
          return { status: 200, contentType: metrics.registry.contentType, body };
        },
      ],
      ['/healthz', () => Promise.resolve({ status: 200, body: 'alive\n' })],
      ['/readyz', async () => readiness(whyNotReady(lag.view.phase, await look(), signal.aborted))],
    ]),
  );
  return { ...server, observer: metrics };
}

function readiness(reasons: readonly string[]): Answer {
  if (reasons.length === 0) return { status: 200, body: 'ready\n' };
  return { status: 503, body: reasons.map((reason) => `not ready: ${reason}\n`).join('') };
}
