import type { LogEvent } from '../../domain/event.ts';
import { foldEach } from '../../domain/fold-each.ts';
import type { EventError } from '../../domain/column-values.ts';
import { fold, PREDICT, type Decision, type Facts } from '../../domain/fold.ts';
import type { ApplyBatch, Claim } from '../../postgres/sql/apply-batch.ts';
import type { ProbeEvents } from '../../postgres/sql/probe-events.ts';
import { isConflict, outcomeOf, type Outcome } from '../../postgres/sql/outcome.ts';
import { readRollbackRows } from '../../postgres/sql/read-targets.ts';
import type { RollbackRow } from '../../postgres/sql/relabel.ts';
import { applyRollbacks, type RollbackTerms } from './apply-rollbacks.ts';
import { leadingRollbacks } from './leading-rollbacks.ts';
import { PartitionClaim, type ClaimContext } from './partition-claim.ts';
import type { Turns } from './turns.ts';
import { Suspects } from './suspects.ts';

/** Told what was decided and committed. */
export interface Applied {
  readonly partition: number;
  readonly decisions: readonly Decision[];
  readonly rollbacks: readonly RollbackRow[];
  readonly duplicates: number;
  readonly nextOffset: bigint;
  /** ms that the statement took. */
  readonly elapsedMs: number;
}

export interface ApplyContext extends ClaimContext {
  readonly applyBatch: ApplyBatch;
  readonly probeEvents: ProbeEvents;
  readonly deriveId: (event: LogEvent) => string;
  /** Transactions of several statements take turns: each holds a connection, and whoever waits too long calls the pool away. */
  readonly turns: Turns;
  readonly onApplied: (applied: Applied) => void;
  /** Named points at which a fault test may stop the process; does nothing in production. */
  readonly at: (point: FaultPoint) => Promise<void>;
}

export type FaultPoint =
  | 'before-statement'
  | 'after-statement'
  | 'before-commit'
  | 'after-commit'
  | 'before-letters'
  | 'after-letters';

/** What a refused statement tried. */
interface Attempted {
  readonly events: readonly LogEvent[];
  readonly decisions: readonly Decision[];
  readonly facts: Facts;
}

/** After a batch whose prediction failed, this many batches read the facts first: dense failures pay only once. */
const READ_FIRST_BATCHES = 16;
/** After a batch that the table refused events of, this many are probed before they are tried: most would be refused too. */
const PROBE_FIRST_BATCHES = 4;

/** Executes the events of one partition under one claim. Throws FencedError, StoppedError, or what ends the consumer. */
export class PartitionApplier {
  readonly #claim: PartitionClaim;
  readonly #context: ApplyContext;
  #readFirst = 0;
  #probeFirst = 0;

  constructor(claim: Claim, context: ApplyContext) {
    this.#claim = new PartitionClaim(claim, context);
    this.#context = context;
  }

  /** As far as it is known here. */
  get claim(): Claim {
    return this.#claim.current;
  }

  get nextOffset(): bigint {
    return this.#claim.current.nextOffset;
  }

  /** Decides all events, in order, and moves the position to `end`. */
  async apply(events: readonly LogEvent[], end: bigint): Promise<void> {
    let rest = events;
    do {
      const taken =
        rest[0]?.kind === 'rollback' ? await this.#rollBack(rest, end) : await this.#applyBatch(rest, end);
      rest = rest.slice(taken);
    } while (rest.length > 0);
  }

  /** Predict, fold, write and verify; where something does not hold, read the facts and fold again (BATCH.md). */
  async #applyBatch(events: readonly LogEvent[], end: bigint): Promise<number> {
    const { ours, pool, applyBatch } = this.#context;
    const suspects = new Suspects(events.length);
    let facts = PREDICT;
    if (this.#readFirst > 0) {
      this.#readFirst--;
      facts = await this.#claim.readFacts(events);
    }
    const start = performance.now();
    for (;;) {
      const portion = events.slice(0, suspects.most);
      const folded = fold({ ...this.#context, events: portion, facts, refused: suspects.guilty });
      const { decisions, duplicates, taken } = folded;
      const nextOffset = events[taken]?.offset ?? end;
      const attempted = { events: portion.slice(0, taken), decisions, facts };
      if (this.#probeFirst > 0 && (await this.#hasRefused(attempted, suspects))) continue;
      const outcome = await this.#send(() =>
        outcomeOf(ours, () => applyBatch.run(pool, this.#claim.current, { ...folded, nextOffset })),
      );
      if (await this.#isDone(outcome, nextOffset)) {
        this.#report({ decisions, rollbacks: [], duplicates, nextOffset }, start);
        return taken;
      }
      if (outcome.kind === 'stop') throw outcome.error;
      if (await this.#blame(outcome, suspects, attempted)) continue;
      if (outcome.kind === 'transient' || outcome.kind === 'unknown') continue;
      this.#readFirst = READ_FIRST_BATCHES;
      facts = await this.#claim.readFacts(events);
    }
  }

  /** Narrows a refusal down to events. False where the facts have to be read (again) before anybody is to blame. */
  async #blame(
    outcome: Outcome<void>,
    suspects: Suspects,
    { events, decisions, facts }: Attempted,
  ): Promise<boolean> {
    if (!facts.areRead) return false;
    switch (outcome.kind) {
      case 'refused':
        if (suspects.isProbeDue(events.length))
          return this.#accuse(await this.#probe(events, facts), suspects);
        suspects.narrow('refused', outcome.error, decisions, events.length);
        return true;
      case 'cancelled':
        suspects.narrow('cancelled', outcome.error, decisions, events.length);
        return true;
      case 'stale':
        if (!suspects.isStaleForGood()) return false;
        if (outcome.refusal === null) await this.#claim.patience.wait(outcome.error);
        else suspects.narrow('refused', outcome.refusal, decisions, events.length);
        return outcome.refusal !== null;
      case 'done':
      case 'transient':
      case 'unknown':
      case 'fenced':
      case 'stop':
        return false;
    }
  }

  /** Probes what has not been tried yet. True where the table refuses some of it, which is to be folded without them. */
  async #hasRefused({ events, facts }: Attempted, suspects: Suspects): Promise<boolean> {
    if (!facts.areRead || !suspects.isProbeDue(events.length)) return false;
    this.#probeFirst--;
    const refused = await this.#probe(events, facts);
    return refused !== null && this.#accuse(refused, suspects) && refused.size > 0;
  }

  /** False where the probe itself could not be made. */
  #accuse(refused: ReadonlyMap<string, EventError> | null, suspects: Suspects): boolean {
    suspects.accuse(refused ?? new Map());
    if (refused !== null && refused.size > 0) this.#probeFirst = PROBE_FIRST_BATCHES;
    return refused !== null;
  }

  /** Which of the events the table refuses, each behind the others. Null where the probe itself could not be made. */
  async #probe(events: readonly LogEvent[], facts: Facts): Promise<ReadonlyMap<string, EventError> | null> {
    const { ours, pool, probeEvents } = this.#context;
    const singles = foldEach({ ...this.#context, events, facts, refused: new Map() });
    const writes = singles.map(({ write }) => write);
    const outcome = await outcomeOf(ours, () => probeEvents(pool, writes));
    if (outcome.kind !== 'done') return null;
    return new Map(
      outcome.value.flatMap(({ index, error }) => {
        const single = singles[index];
        return single === undefined ? [] : [[single.event.eventId, error] as const];
      }),
    );
  }

  /** Decides the leading rollbacks, one a user at most. */
  async #rollBack(events: readonly LogEvent[], end: bigint): Promise<number> {
    const { ours, pool, deriveId, turns } = this.#context;
    const rollbacks = leadingRollbacks(events);
    const nextOffset = events[rollbacks.length]?.offset ?? end;
    const start = performance.now();
    for (let isContended = false; ;) {
      const terms: RollbackTerms = { deriveId, isContended };
      const outcome = await this.#send(() =>
        outcomeOf(ours, () =>
          turns.take(() =>
            applyRollbacks(pool, this.#context, this.#claim.current, rollbacks, nextOffset, terms),
          ),
        ),
      );
      isContended = outcome.kind === 'transient' && isConflict(outcome.error);
      if (outcome.kind === 'done' && outcome.value !== null) {
        const { rows, duplicates, revision } = outcome.value;
        this.#claim.moveTo(nextOffset, revision);
        this.#report({ decisions: [], rollbacks: rows, duplicates, nextOffset }, start);
        return rollbacks.length;
      }
      if (outcome.kind !== 'done' && (await this.#isDone(outcome, nextOffset))) {
        const rows = await this.#claim.patience.run(() =>
          readRollbackRows(pool, this.#context.schema, rollbacks),
        );
        this.#report(
          { decisions: [], rollbacks: rows, duplicates: rollbacks.length - rows.length, nextOffset },
          start,
        );
        return rollbacks.length;
      }
      if (outcome.kind === 'stop') throw outcome.error;
      if (outcome.kind === 'cancelled') await this.#claim.patience.wait(new Error(outcome.error.message));
      if (outcome.kind === 'refused') {
        throw new Error(`a rollback was refused outside its reconciliation: ${outcome.error.message}`);
      }
      // Fenced by a higher revision alone, or a fact went stale: look again; a real fence throws.
      await this.#claim.readFacts([]);
    }
  }

  async #send<T>(work: () => Promise<T>): Promise<T> {
    await this.#context.at('before-statement');
    const result = await work();
    await this.#context.at('after-statement');
    return result;
  }

  /** True where the statement is known to be committed. Waits where the database is away. */
  async #isDone(outcome: Outcome<unknown>, nextOffset: bigint): Promise<boolean> {
    if (outcome.kind === 'transient' || outcome.kind === 'unknown')
      await this.#claim.patience.wait(outcome.error);
    const isDone =
      outcome.kind === 'done' || (outcome.kind === 'unknown' && (await this.#claim.wasCommitted(nextOffset)));
    if (isDone) this.#claim.moveTo(nextOffset);
    return isDone;
  }

  #report(done: Pick<Applied, 'decisions' | 'rollbacks' | 'duplicates' | 'nextOffset'>, start: number): void {
    const { partition } = this.#claim.current;
    this.#context.onApplied({ ...done, partition, elapsedMs: performance.now() - start });
  }
}
