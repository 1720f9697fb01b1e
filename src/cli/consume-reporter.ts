import type { Applied } from '../app/consume/apply-events.ts';
import type { ConsumeObserver } from '../app/consume/consume-options.ts';
import type { Lag, LagWatch } from '../app/consume/lag-watch.ts';
import { Pace } from '../app/consume/pace.ts';
import { EMPTY_TALLY, type FailedEvent, type Tally } from '../app/consume/tally.ts';
import type { LiveLine } from './live-line.ts';
import { JSON_VERSION, toJson } from './json.ts';
import { consumingText, type Consuming } from './views/consuming.ts';
import type { StatementState } from '../postgres/statement-watch.ts';

export interface ReporterOutput {
  readonly isJson: boolean;
  readonly line: LiveLine;
  readonly lag: LagWatch;
  /** How often it tells how far it is, ms; null: as often as suits the reader. */
  readonly intervalMs: number | null;
  readonly notice: (text: string) => void;
  readonly printLine: (line: string) => Promise<void>;
}

/** How often by itself, ms: scripts want a figure a second, eyes a line that lives, the log file of a service little. */
const INTERVAL_MS = { json: 1_000, terminal: 500, pipe: 30_000 };
/** So many failures are told one by one; the rest is in the counts. */
const TOLD_FAILURES = 20;
/** Of one outage. */
const TOLD_REASONS = 5;

/** Tells people (a line that is redrawn, notices) or scripts (a JSON line an interval) how consuming goes. */
export class ConsumeReporter implements ConsumeObserver {
  readonly #output: ReporterOutput;
  readonly #kind: keyof typeof INTERVAL_MS;
  readonly #startedAt = performance.now();
  readonly #pace = new Pace(this.#startedAt);
  readonly #timer: NodeJS.Timeout;
  /** What is away, and the reasons that were told. */
  readonly #troubles = new Map<'database' | 'log', Set<string>>();
  #tally: Tally = EMPTY_TALLY;
  #lag: Lag | null = null;
  #told = 0;
  #isLooking = false;
  #isOver = false;
  /** What the last line on a pipe said. */
  #said = '';

  constructor(output: ReporterOutput) {
    this.#output = output;
    this.#kind = output.isJson ? 'json' : output.line.isShown ? 'terminal' : 'pipe';
    this.#timer = setInterval(() => void this.#tick(), output.intervalMs ?? INTERVAL_MS[this.#kind]);
    // Whoever only watches keeps no process alive.
    this.#timer.unref();
  }

  readonly onStarted = (): void => undefined;

  readonly onAssigned = (partitions: readonly number[]): void => {
    const list = partitions.toSorted((a, b) => a - b).join(', ');
    this.#say(partitions.length === 0 ? 'No partition is assigned' : `Assigned partitions ${list}`);
  };

  readonly onKeyless = (): void => {
    this.#say(
      'Records without a key come from several partitions: they are executed, but have no order among them',
    );
  };

  readonly onUnevenGrowth = (from: number, to: number): void => {
    this.#say(
      `The topic grew from ${String(from)} to ${String(to)} partitions, which is no multiple, before all was executed: users moved between old partitions too, and of theirs what was before and after is no longer known for certain`,
    );
  };

  readonly onPositionLost = (error: Error): void => {
    this.#say(`${error.message}: they are read from the log again`);
  };

  readonly onApplied = (_applied: Applied, tally: Tally): void => {
    this.#tally = tally;
    this.#draw();
  };

  readonly onFailed = (event: FailedEvent): void => {
    if (++this.#told > TOLD_FAILURES) return;
    const place = `[${String(event.partition)}]@${String(event.offset)}`;
    const rest = this.#told === TOLD_FAILURES ? '; further ones are counted only' : '';
    this.#say(
      `Failed: event ${event.eventId} ${place} of user ${event.userId ?? '(none)'}: ${event.code}${rest}`,
    );
  };

  readonly onTrouble = (what: 'database' | 'log', message: string | null): void => {
    if (message !== null) this.#sayAway(what, message, message);
    else if (this.#troubles.delete(what)) this.#say(`The ${what} is back`);
  };

  /** Says why, and says so again where the reason is another: each once in one outage, since they can alternate. */
  #sayAway(what: 'database' | 'log', reason: string, message: string): void {
    const told = this.#troubles.get(what);
    if (told === undefined) {
      this.#troubles.set(what, new Set([reason]));
      this.#say(`The ${what} is away and is waited for: ${message}`);
    } else if (!told.has(reason) && told.size < TOLD_REASONS) {
      told.add(reason);
      this.#say(`The ${what} is still away: ${message}`);
    }
  }

  readonly onStatement = (state: StatementState): void => {
    switch (state.kind) {
      case 'silent':
        this.#sayAway('database', 'silent', `it has not answered for ${inSeconds(state.forMs)}`);
        break;
      case 'busy':
        this.#say(
          `A statement has run for ${inSeconds(state.forMs)}: PostgreSQL is busy with it, or it waits for a lock of another session`,
        );
        break;
      case 'over':
        // Cut off, the next attempt will tell whether the database is back.
        if (state.isAnswered) this.onTrouble('database', null);
    }
  };

  /** Takes the line away and tells nothing more. Safe to repeat. */
  stop(): void {
    this.#isOver = true;
    clearInterval(this.#timer);
    this.#output.line.stop();
  }

  #say(text: string): void {
    this.#output.line.stop();
    this.#output.notice(text);
  }

  #draw(): void {
    if (!this.#isOver) this.#output.line.show(() => `Consuming ${consumingText(this.#state())}`);
  }

  async #tick(): Promise<void> {
    // A slow reader, or a log that takes its time: the next tick will do.
    if (this.#isLooking) return;
    this.#isLooking = true;
    const lag = await this.#output.lag.look();
    if (!this.#isOver) await this.#tell(lag);
    this.#isLooking = false;
  }

  async #tell(lag: Lag): Promise<void> {
    this.#lag = lag;
    const left = lag.left === null ? null : Number(lag.left);
    this.#pace.sample(performance.now(), this.#tally.events, left);
    const state = this.#state();
    switch (this.#kind) {
      case 'json':
        await this.#output.printLine(toJson(jsonLine(state)));
        return;
      case 'terminal':
        this.#draw();
        return;
      case 'pipe':
        this.#sayIfNew(state);
        return;
    }
  }

  /** An idle consumer does not fill the log of its service. */
  #sayIfNew(state: Consuming): void {
    const { tally, lag, waitsFor } = state;
    const news = JSON.stringify([tally, String(lag?.events), waitsFor]);
    if (news !== this.#said && tally.events > 0) this.#output.notice(`Consumed ${consumingText(state)}`);
    this.#said = news;
  }

  #state(): Consuming {
    const { eventsPerSecond, secondsLeft } = this.#pace;
    const elapsedMs = performance.now() - this.#startedAt;
    const waitsFor = [...this.#troubles.keys()];
    return { tally: this.#tally, lag: this.#lag, eventsPerSecond, secondsLeft, elapsedMs, waitsFor };
  }
}

function inSeconds(ms: number): string {
  return `${String(Math.round(ms / 1000))} s`;
}

/** One line of `consume --json` while it runs; docs/metrics.md says what is in it. */
function jsonLine({ tally, lag, eventsPerSecond, secondsLeft, elapsedMs, waitsFor }: Consuming): object {
  const progress = {
    ...tally,
    eventsPerSecond: Math.round(eventsPerSecond),
    lag: lag?.events ?? null,
    lagSeconds: Math.round(lag?.seconds ?? 0),
    secondsLeft: secondsLeft === null ? null : Math.ceil(secondsLeft),
    waitsFor,
    partitions: (lag?.partitions ?? []).map((each) => ({ ...each, lagSeconds: Math.round(each.lagSeconds) })),
  };
  return { _command: 'consume', _version: JSON_VERSION, progress, elapsedMs: Math.round(elapsedMs) };
}
