import type { Watermarks } from '../../log/event-log.ts';
import { NOTHING_TO_SEE, type ConsumerView, type PartitionView } from './consumer-view.ts';
import { Probe } from './probe.ts';

export interface PartitionLag {
  readonly partition: number;
  readonly position: bigint;
  /** Null until the log has told it. */
  readonly highWatermark: bigint | null;
  /** Offsets behind the high watermark: an upper bound on events. Null until the log has told it. */
  readonly lag: bigint | null;
  /** Age of the oldest event not decided, in seconds; 0 where there is none. */
  readonly lagSeconds: number;
}

/** How far a consumer is behind on its own partitions. */
export interface Lag {
  readonly partitions: readonly PartitionLag[];
  /** Over all partitions; null until the log has told it. */
  readonly events: bigint | null;
  /** What is left to decide until the consumer ends (--until-end), else until it has caught up. */
  readonly left: bigint | null;
  /** Of the partition that is furthest behind. */
  readonly seconds: number;
  readonly isLogAnswering: boolean;
}

/** Looks at how far a consumer is behind: its own positions against the log's high watermarks. Never throws. */
export class LagWatch {
  #view: ConsumerView = NOTHING_TO_SEE;
  readonly #probe: Probe<ReadonlyMap<number, bigint>>;
  readonly #now: () => number;
  /** By partition: since when it is seen standing at one offset with more behind it, ms. */
  readonly #standing = new Map<number, { readonly at: bigint; readonly since: number }>();

  constructor(watermarks: () => Promise<readonly Watermarks[]>, now: () => number) {
    this.#now = now;
    this.#probe = new Probe(
      async () => new Map((await watermarks()).map(({ partition, high }) => [partition, high])),
    );
  }

  get view(): ConsumerView {
    return this.#view;
  }

  /** The consumer runs. */
  follow(view: ConsumerView): void {
    this.#view = view;
  }

  /** Asks the log, waits for it a moment at the most, and falls back on what it said before. */
  async look(): Promise<Lag> {
    const { value: highs, isAnswering } = await this.#probe.look();
    const { phase, partitions: own, ends } = this.#view;
    const partitions = own
      .toSorted((a, b) => a.partition - b.partition)
      .map((each) => this.#lagOf(each, highs?.get(each.partition) ?? null));
    const left =
      ends === null ? null : own.map((each) => distance(each.nextOffset, ends.get(each.partition)));
    // Without partitions because it is not that far yet nothing is known; as a spare it has no lag.
    const events = phase === 'working' ? sum(partitions.map(({ lag }) => lag)) : null;
    return {
      partitions,
      events,
      left: left === null || events === null ? events : sum(left),
      seconds: Math.max(0, ...partitions.map(({ lagSeconds }) => lagSeconds)),
      isLogAnswering: isAnswering,
    };
  }

  #lagOf({ partition, nextOffset, oldest }: PartitionView, high: bigint | null): PartitionLag {
    const isBehind = oldest !== null || (high !== null && high > nextOffset);
    const since = this.#standingSince(partition, nextOffset, isBehind);
    return {
      partition,
      position: nextOffset,
      highWatermark: high,
      lag: high === null ? null : distance(nextOffset, high),
      lagSeconds: isBehind ? Math.max(0, (this.#now() - (oldest ?? since)) / 1000) : 0,
    };
  }

  /** Of an event that is not fetched yet nothing is known but how long it has been seen to be there. */
  #standingSince(partition: number, at: bigint, isBehind: boolean): number {
    const known = this.#standing.get(partition);
    if (isBehind && known?.at === at) return known.since;
    const since = this.#now();
    if (isBehind) this.#standing.set(partition, { at, since });
    else this.#standing.delete(partition);
    return since;
  }
}

/** From one offset to a later one; 0 where it is not later. */
function distance(from: bigint, to = 0n): bigint {
  return to > from ? to - from : 0n;
}

function sum(parts: readonly (bigint | null)[]): bigint | null {
  return parts.reduce((total, part) => (total === null || part === null ? null : total + part), 0n);
}
