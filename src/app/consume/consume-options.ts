import type { EventLog } from '../../log/event-log.ts';
import type { Applied, FaultPoint } from './apply-events.ts';
import type { ConsumerView } from './consumer-view.ts';
import type { GroupOptions } from './open-group.ts';
import type { StartFrom } from './take-over.ts';
import type { FailedEvent, Tally } from './tally.ts';

/** What a consumer is told. */
export interface ConsumeOptions extends GroupOptions {
  readonly from: StartFrom;
  /** End when the log's end at the start is executed, by this member or others. */
  readonly isUntilEnd: boolean;
  /** End after so many events; batches are not cut for it. Null: never. */
  readonly maxEvents: number | null;
  /** End with EVENTS_FAILED when more users than that fail one after the other. Null: never. */
  readonly maxFailed: number | null;
  readonly onFailure: 'park' | 'rollback' | 'stop';
  /** The topic that failed events are also written to; null: none. */
  readonly deadLetters: EventLog | null;
  readonly batchSize: number;
  /** `ce_source` of compensating events that the policy publishes. */
  readonly source: string;
  /** Aborted = finish the batch under way, commit, leave. */
  readonly signal: AbortSignal;
  readonly observe: ConsumeObserver;
  readonly at: (point: FaultPoint) => Promise<void>;
}

/** What a consumer tells while it runs. */
export interface ConsumeObserver {
  /** It has opened its group and begins: from now on there is something to see. */
  readonly onStarted: (view: ConsumerView) => void;
  readonly onApplied: (applied: Applied, tally: Tally) => void;
  readonly onFailed: (event: FailedEvent) => void;
  readonly onAssigned: (partitions: readonly number[]) => void;
  /** Records without a key come from several partitions: they have no order among them (DESIGN 3). Told once. */
  readonly onKeyless: () => void;
  /**
   * The topic grew to a count that is no multiple of the old one, before all was executed: users moved between old partitions too, which do not
   * wait for each other. Told by whoever finds the growth.
   */
  readonly onUnevenGrowth: (from: number, to: number) => void;
  /** The database or the log is away; null: it is back. */
  readonly onTrouble: (what: 'database' | 'log', message: string | null) => void;
  /** The database fell back to an earlier state: what it lost is read from the log again. */
  readonly onPositionLost: (error: Error) => void;
}
