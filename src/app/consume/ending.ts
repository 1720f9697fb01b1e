import type { ConsumeOptions } from './consume-options.ts';
import type { FailedEvent, TallyKeeper } from './tally.ts';

export type EndedBy = 'signal' | 'end' | 'max-events' | 'failure';

/** When and why a consumer ends by itself: at the log's end, after so many events, or at a failure. */
export class Ending {
  #endedBy: EndedBy = 'signal';
  #stoppedBy: FailedEvent | null = null;
  readonly #own = new AbortController();
  /** Aborted when the consumer is to end, by itself or from outside. */
  readonly signal: AbortSignal;

  constructor(outside: AbortSignal) {
    this.signal = AbortSignal.any([outside, this.#own.signal]);
  }

  get endedBy(): EndedBy {
    return this.#endedBy;
  }

  /** The event that ended it, with `--on-failure stop` or `--max-failed`. */
  get stoppedBy(): FailedEvent | null {
    return this.#stoppedBy;
  }

  /** Ends it; the first reason counts. */
  end(why: EndedBy): void {
    if (!this.signal.aborted) this.#endedBy = why;
    this.#own.abort();
  }

  /** Looks at what was just committed: `failed` are the events of it that failed. */
  check(keeper: TallyKeeper, failed: readonly FailedEvent[], options: ConsumeOptions): void {
    const { maxFailed, maxEvents, onFailure } = options;
    const isTooMany = maxFailed !== null && keeper.failedInARow > maxFailed;
    if (failed.length > 0 && (onFailure === 'stop' || isTooMany)) {
      this.#stoppedBy ??= failed[0] ?? null;
      this.end('failure');
    }
    if (maxEvents !== null && keeper.tally.events >= maxEvents) this.end('max-events');
  }

  /** Resolves when it is to end. */
  async reached(): Promise<void> {
    if (this.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const onAbort = (): void => {
        resolve();
      };
      this.signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}
