import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Applied } from '../app/consume/apply-events.ts';
import type { ConsumeObserver } from '../app/consume/consume-options.ts';
import type { FailedEvent } from '../app/consume/tally.ts';
import { CODES_OF_CLASS, FAILURE_CODES, classOf } from '../domain/event-failure-class.ts';

/** What a consumer is called in its metrics. */
export interface ConsumerLabels {
  readonly version: string;
  readonly topic: string;
  readonly group: string;
  readonly schema: string;
}

/** A batch is 1 to 20,000 events, and takes a millisecond to, behind a lock, minutes. */
const BATCH_EVENTS = [1, 5, 10, 50, 100, 500, 1_000, 2_000, 5_000, 10_000, 20_000];
const BATCH_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const OUTCOMES = ['applied', 'failed', 'parked', 'skipped', 'duplicate'] as const;
const ROLLBACK_OUTCOMES = ['applied', 'refused', 'failed'] as const;
const DEPENDENCIES = ['database', 'log'] as const;

/**
 * What a consumer counts, as Prometheus metrics (docs/metrics.md lists them). Labels are bounded: topic, partition,
 * outcomes and codes of closed lists, never anything that an event brings along. Counters begin at 0.
 */
export class ConsumerMetrics implements ConsumeObserver {
  readonly registry = new Registry();
  readonly #decided = this.#counter(
    'events_total',
    'Events decided on and committed, by outcome.',
    'outcome',
  );
  readonly #rollbacks = this.#counter(
    'rollbacks_total',
    'Rollback events decided on, by outcome.',
    'outcome',
  );
  readonly #failures = new Counter({
    name: 'user_events_failures_total',
    help: 'Events that failed, by class and error code (docs/errors.md).',
    labelNames: ['class', 'code'],
    registers: [this.registry],
  });
  readonly #batchEvents = new Histogram({
    name: 'user_events_batch_events',
    help: 'Events of one committed batch.',
    buckets: BATCH_EVENTS,
    registers: [this.registry],
  });
  readonly #batchSeconds = new Histogram({
    name: 'user_events_batch_duration_seconds',
    help: 'From folding a batch to its commit, attempts that were refused included.',
    buckets: BATCH_SECONDS,
    registers: [this.registry],
  });
  readonly #waits = this.#counter(
    'dependency_waits_total',
    'How often the consumer found the database or the log away and began to wait, or tried in vain again.',
    'dependency',
  );

  constructor(labels: ConsumerLabels) {
    collectDefaultMetrics({ register: this.registry });
    const info = new Gauge({
      name: 'user_events_consumer_info',
      help: 'Always 1: what this consumer is, in its labels.',
      labelNames: ['version', 'topic', 'group', 'schema'],
      registers: [this.registry],
    });
    info.set({ ...labels }, 1);
    for (const outcome of OUTCOMES) this.#decided.inc({ outcome }, 0);
    for (const outcome of ROLLBACK_OUTCOMES) this.#rollbacks.inc({ outcome }, 0);
    for (const dependency of DEPENDENCIES) this.#waits.inc({ dependency }, 0);
    for (const [name, codes] of Object.entries(CODES_OF_CLASS)) {
      for (const code of codes) this.#failures.inc({ class: name, code }, 0);
    }
  }

  readonly onStarted = (): void => undefined;
  readonly onAssigned = (): void => undefined;
  readonly onKeyless = (): void => undefined;
  readonly onUnevenGrowth = (): void => undefined;
  readonly onPositionLost = (): void => undefined;

  readonly onApplied = ({ decisions, rollbacks, duplicates, elapsedMs }: Applied): void => {
    for (const { status } of decisions) this.#decided.inc({ outcome: status });
    for (const { status } of rollbacks) this.#rollbacks.inc({ outcome: status });
    this.#decided.inc({ outcome: 'duplicate' }, duplicates);
    this.#batchEvents.observe(decisions.length + rollbacks.length + duplicates);
    this.#batchSeconds.observe(elapsedMs / 1000);
  };

  readonly onFailed = ({ code, isRollback }: FailedEvent): void => {
    const known = FAILURE_CODES.find((each) => each === code);
    const labels =
      known === undefined
        ? { class: 'other', code: 'OTHER' }
        : { class: classOf(isRollback ? 'rollback' : null, known), code };
    this.#failures.inc(labels);
  };

  readonly onTrouble = (what: 'database' | 'log', message: string | null): void => {
    if (message !== null) this.#waits.inc({ dependency: what });
  };

  #counter<Label extends string>(name: string, help: string, label: Label): Counter<Label> {
    const registers = [this.registry];
    return new Counter({ name: `user_events_${name}`, help, labelNames: [label], registers });
  }
}
