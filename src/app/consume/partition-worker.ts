import { setTimeout as delay } from 'node:timers/promises';
import type { EnvelopeContext } from '../../domain/envelope.ts';
import { readEnvelope } from '../../domain/read-envelope.ts';
import type { RecordBatch } from '../../log/event-log.ts';
import type { Claim } from '../../postgres/sql/apply-batch.ts';
import { PartitionApplier, type ApplyContext } from './apply-events.ts';
import { FencedError, Patience, PositionLostError, StoppedError } from './patience.ts';
import { readUnheard } from './read-unheard.ts';
import { RecordBuffer } from './record-buffer.ts';

export interface WorkerContext extends ApplyContext {
  readonly envelope: EnvelopeContext;
  /** Events a statement at the most. */
  readonly batchSize: number;
  readonly pause: (partition: number) => void;
  readonly resume: (partition: number) => void;
  /** Claims the partition anew, after another raised its epoch though it is ours: a late claim of a former owner. */
  readonly claimAgain: (partition: number) => Promise<Claim>;
  /** Resolves when the partition may be executed: at once, or when older partitions have caught up (DESIGN 4). */
  readonly gate: (partition: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Fetched data waiting for PostgreSQL, a partition: the next batch is decoded while one is executed. Three batches took
 * 30 MiB more and were no faster. Bounded in bytes for large values.
 */
const BUFFERED_BYTES = 8 * 1024 * 1024;
/** How long a fenced worker waits before it claims again: the former owner, if it lives, is told of the rebalance by then. */
const CLAIM_AGAIN_MS = 1_000;

/** Executes one assigned partition until it is stopped: buffer → events → batches. */
export class PartitionWorker {
  readonly partition: number;
  readonly #context: WorkerContext;
  readonly #buffer: RecordBuffer;
  /** Aborted when this partition is given back: nothing here waits any longer. */
  readonly #stopping = new AbortController();
  #applier: PartitionApplier;
  /** Where the records in hand begin: what lies before them was executed and let go. */
  #from: bigint;
  /** What was taken from the buffer and is being decided. */
  #underWay: RecordBatch['records'] = [];
  /** Resolves when stopped; rejects with what ends the consumer, or (PositionLostError) this assignment. */
  readonly ended: Promise<void>;

  constructor(claim: Claim, context: WorkerContext) {
    this.partition = claim.partition;
    this.#from = claim.nextOffset;
    const signal = AbortSignal.any([context.signal, this.#stopping.signal]);
    this.#context = { ...context, signal };
    this.#applier = new PartitionApplier(claim, this.#context);
    this.#buffer = new RecordBuffer(
      { records: context.batchSize, bytes: BUFFERED_BYTES },
      () => {
        context.pause(claim.partition);
      },
      () => {
        context.resume(claim.partition);
      },
    );
    this.ended = this.#run();
    // Whoever awaits `ended` sees the error; until then it is no unhandled rejection.
    this.ended.catch(() => undefined);
  }

  get nextOffset(): bigint {
    return this.#applier.nextOffset;
  }

  /** Timestamp (ms) of the oldest record here that is not decided; null where none is. */
  get oldest(): number | null {
    const { nextOffset } = this.#applier;
    const record = this.#underWay.find(({ offset }) => offset >= nextOffset) ?? this.#buffer.first;
    // -1 is Kafka's for a record without one.
    return record !== undefined && record.timestamp >= 0 ? record.timestamp : null;
  }

  push(batch: RecordBatch): void {
    this.#buffer.push(batch);
  }

  /** Finishes the batch under way and stops. */
  async stop(): Promise<void> {
    this.#buffer.close();
    this.#stopping.abort();
    await this.ended.catch(() => undefined);
  }

  async #run(): Promise<void> {
    try {
      await this.#context.gate(this.partition, this.#context.signal);
      for (;;) {
        const portion = await this.#buffer.take(this.#context.batchSize);
        if (portion === null || this.#context.signal.aborted) return;
        this.#underWay = portion.records;
        await this.#apply(portion.records, portion.nextOffset);
        this.#from = portion.nextOffset;
        this.#underWay = [];
      }
    } catch (error) {
      if (!(error instanceof StoppedError)) throw error;
    }
  }

  async #apply(records: RecordBatch['records'], end: bigint): Promise<void> {
    for (;;) {
      // What is below the position was decided already: a redelivery, or another's work before we claimed again.
      const fresh = records.filter((record) => record.offset >= this.#applier.nextOffset);
      if (end <= this.#applier.nextOffset) return;
      const events = fresh.map((record) => readEnvelope(record, this.#context.envelope));
      const start = performance.now();
      try {
        await this.#applier.apply(events, end);
        return;
      } catch (error) {
        if (!(error instanceof FencedError)) throw error;
      }
      await delay(CLAIM_AGAIN_MS, undefined, { signal: this.#context.signal }).catch(() => {
        throw new StoppedError('stopped while fenced');
      });
      if (this.#buffer.isClosed) return;
      const claim = await this.#context.claimAgain(this.partition);
      if (claim.nextOffset < this.#from) {
        const [from, to] = [String(claim.nextOffset), String(this.#from - 1n)];
        throw new PositionLostError(`The database lost what it had of offsets ${from} to ${to}`);
      }
      const before = this.#applier.claim;
      this.#applier = new PartitionApplier(claim, this.#context);
      const patience = new Patience(this.#context);
      const unheard = await readUnheard(this.#context, patience, before, claim, events);
      if (unheard !== null) this.#context.onApplied({ ...unheard, elapsedMs: performance.now() - start });
    }
  }
}
