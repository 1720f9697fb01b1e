import { Gauge, type Registry } from 'prom-client';
import type { Lag, PartitionLag } from '../app/consume/lag-watch.ts';

/** Whether what the consumer needs answers. */
export interface DependencyState {
  readonly database: boolean;
  readonly log: boolean;
}

/** What is looked at when it is asked for, rather than counted: positions, lag, and what answers. */
export class StateGauges {
  readonly #topic: string;
  readonly #position: Gauge<'topic' | 'partition'>;
  readonly #highWatermark: Gauge<'topic' | 'partition'>;
  readonly #lagEvents: Gauge<'topic' | 'partition'>;
  readonly #lagSeconds: Gauge<'topic' | 'partition'>;
  readonly #assigned: Gauge;
  readonly #up: Gauge<'dependency'>;

  constructor(registry: Registry, topic: string) {
    this.#topic = topic;
    const registers = [registry];
    const ofPartition = (name: string, help: string): Gauge<'topic' | 'partition'> =>
      new Gauge({ name: `user_events_${name}`, help, labelNames: ['topic', 'partition'], registers });
    this.#position = ofPartition('position', 'Next offset to decide, of the partitions of this consumer.');
    this.#highWatermark = ofPartition(
      'high_watermark',
      'Next offset to be written, as the log told it last.',
    );
    this.#lagEvents = ofPartition('lag_events', 'Offsets from the position to the high watermark.');
    this.#lagSeconds = ofPartition(
      'lag_seconds',
      'Age of the oldest event not decided; 0 where there is none.',
    );
    this.#assigned = new Gauge({
      name: 'user_events_assigned_partitions',
      help: 'Partitions that this consumer works on.',
      registers,
    });
    this.#up = new Gauge({
      name: 'user_events_dependency_up',
      help: '1 where the database or the log answers, else 0.',
      labelNames: ['dependency'],
      registers,
    });
  }

  /** Shows this state and nothing of an earlier one: a partition that went to another consumer is gone here. */
  show({ partitions }: Lag, up: DependencyState): void {
    this.#assigned.set(partitions.length);
    for (const name of ['database', 'log'] as const) this.#up.set({ dependency: name }, up[name] ? 1 : 0);
    this.#each(this.#position, partitions, ({ position }) => position);
    this.#each(this.#highWatermark, partitions, ({ highWatermark }) => highWatermark);
    this.#each(this.#lagEvents, partitions, ({ lag }) => lag);
    this.#each(this.#lagSeconds, partitions, ({ lagSeconds }) => lagSeconds);
  }

  #each(
    gauge: Gauge<'topic' | 'partition'>,
    partitions: readonly PartitionLag[],
    valueOf: (of: PartitionLag) => bigint | number | null,
  ): void {
    gauge.reset();
    for (const each of partitions) {
      const value = valueOf(each);
      const labels = { topic: this.#topic, partition: String(each.partition) };
      if (value !== null) gauge.set(labels, Number(value));
    }
  }
}
