import type { ConsumeObserver } from '../app/consume/consume-options.ts';
import type { FailedEvent, Tally } from '../app/consume/tally.ts';
import type { Applied } from '../app/consume/apply-events.ts';
import type { StatementState } from '../postgres/statement-watch.ts';
import { toJson } from './json.ts';
import type { Progress } from './progress.ts';

export interface ReporterOutput {
  readonly isJson: boolean;
  readonly progress: Progress;
  readonly notice: (text: string) => void;
  readonly printLine: (line: string) => Promise<void>;
}

/** How often a line is printed under `--json` while something happens. */
const INTERVAL_MS = 1_000;
/** So many failures are told one by one; the rest is in the counts. */
const TOLD_FAILURES = 20;

/** Tells people (a progress line, notices) or scripts (a JSON line an interval) how consuming goes. */
export class ConsumeReporter implements ConsumeObserver {
  readonly #output: ReporterOutput;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout | null;
  #tally: Tally | null = null;
  #printed: Tally | null = null;
  #told = 0;
  #troubles = new Map<'database' | 'log', string>();

  constructor(output: ReporterOutput) {
    this.#output = output;
    this.#timer = output.isJson ? setInterval(() => void this.#printInterval(), INTERVAL_MS) : null;
  }

  readonly onAssigned = (partitions: readonly number[]): void => {
    const list = partitions.toSorted((a, b) => a - b).join(', ');
    this.#output.notice(partitions.length === 0 ? 'No partition is assigned' : `Assigned partitions ${list}`);
  };

  readonly onKeyless = (): void => {
    this.#output.notice(
      'Records without a key come from several partitions: they are executed, but have no order among them',
    );
  };

  readonly onPositionLost = (error: Error): void => {
    this.#output.notice(`${error.message}: they are read from the log again`);
  };

  readonly onApplied = (_applied: Applied, tally: Tally): void => {
    this.#tally = tally;
    const failed = tally.failed + tally.rollbacksFailed;
    const note =
      failed > 0
        ? `${failed.toLocaleString('en-US')} failed, ${tally.parked.toLocaleString('en-US')} parked`
        : '';
    this.#output.progress.update(tally.events, null, note);
  };

  readonly onFailed = (event: FailedEvent): void => {
    if (++this.#told > TOLD_FAILURES) return;
    const place = `[${String(event.partition)}]@${String(event.offset)}`;
    const rest = this.#told === TOLD_FAILURES ? '; further ones are counted only' : '';
    this.#output.progress.stop();
    this.#output.notice(
      `Failed: event ${event.eventId} ${place} of user ${event.userId ?? '(none)'}: ${event.code}${rest}`,
    );
  };

  readonly onTrouble = (what: 'database' | 'log', message: string | null): void => {
    const before = this.#troubles.get(what);
    if (message === null) {
      if (before === undefined) return;
      this.#troubles.delete(what);
      this.#output.notice(`The ${what} is back`);
    } else if (before === undefined) {
      this.#troubles.set(what, message);
      this.#output.progress.stop();
      this.#output.notice(`The ${what} is away and is waited for: ${message}`);
    }
  };

  readonly onStatement = (state: StatementState): void => {
    switch (state.kind) {
      case 'silent':
        this.onTrouble('database', `it has not answered for ${inSeconds(state.forMs)}`);
        break;
      case 'busy':
        this.#output.progress.stop();
        this.#output.notice(
          `A statement has run for ${inSeconds(state.forMs)}: PostgreSQL is busy with it, or it waits for a lock of another session`,
        );
        break;
      case 'over':
        // Cut off, the next attempt will tell whether the database is back.
        if (state.isAnswered) this.onTrouble('database', null);
    }
  };

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#output.progress.stop();
  }

  async #printInterval(): Promise<void> {
    const tally = this.#tally;
    if (tally === null || tally === this.#printed) return;
    this.#printed = tally;
    const elapsedMs = Math.round(performance.now() - this.#startedAt);
    await this.#output.printLine(toJson({ _command: 'consume', _version: 1, progress: tally, elapsedMs }));
  }
}

function inSeconds(ms: number): string {
  return `${String(Math.round(ms / 1000))} s`;
}
