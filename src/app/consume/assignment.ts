import { setTimeout as delay } from 'node:timers/promises';
import type { EventLog, RecordBatch, SubscribeOptions, Subscription } from '../../log/event-log.ts';
import type { Database } from '../../postgres/transaction.ts';
import { recordTopicId } from '../../postgres/sql/bind-group.ts';
import { raiseEpochs, type Position } from '../../postgres/sql/positions.ts';
import type { Applied } from './apply-events.ts';
import { publishAutoRollbacks, publishMissingRollbacks, type AutoRollbackTerms } from './auto-rollback.ts';
import { bindLog } from './bind-log.ts';
import type { ConsumeOptions } from './consume-options.ts';
import type { ConsumerView, PartitionView } from './consumer-view.ts';
import { rereadTable, type Group } from './open-group.ts';
import { OffsetCommits } from './offset-commits.ts';
import { waitAtGate } from './partition-gate.ts';
import { PartitionWorker, type WorkerContext } from './partition-worker.ts';
import { Patience } from './patience.ts';
import { commitMetadata, takeOver } from './take-over.ts';
import type { FailedEvent } from './tally.ts';
import { Turns } from './turns.ts';

/** Of the three connections of a consumer: one is left for those who look on (BATCH.md: more than two bring nothing). */
const ROLLBACKS_AT_ONCE = 2;
/** How long the compensating events under way are waited for at the end: the next consumer publishes what is missing. */
const COMPENSATE_WITHIN_MS = 3_000;

export interface AssignmentOptions extends ConsumeOptions {
  readonly onApplied: (applied: Applied) => void;
  readonly onAssigned: (partitions: readonly number[]) => void;
}

/** This member's partitions: a worker each, from assignment to revocation. */
export class Assignment {
  readonly #log: EventLog;
  readonly #database: Database;
  #group: Group;
  readonly #options: AssignmentOptions;
  readonly #patience: Patience;
  readonly #workers = new Map<number, PartitionWorker>();
  readonly #commits: OffsetCommits;
  readonly #paused = new Set<number>();
  readonly #turns = new Turns(ROLLBACKS_AT_ONCE);
  /** Partitions in which records without a key were seen; two are enough. */
  readonly #keyless = new Set<number>();
  #subscription: Subscription | null = null;
  /** What every record has to be of, as checked at the last assignment. */
  #topicId: string | null = null;
  #fail: (error: unknown) => void = () => undefined;
  #compensating: Promise<void> = Promise.resolve();
  /** How many partitions the group has given to this member; null before it was let in. */
  #given: number | null = null;
  /** An assignment was made, and its checks have passed. */
  #isAssigned = false;
  /** Rejects with what a worker was ended by. */
  readonly failed: Promise<never>;

  constructor(log: EventLog, database: Database, group: Group, options: AssignmentOptions) {
    this.#log = log;
    this.#database = database;
    this.#group = group;
    this.#options = options;
    this.#patience = new Patience(this.#patienceContext());
    this.#commits = new OffsetCommits((offsets) => this.#commit(offsets));
    this.failed = new Promise((_, reject) => (this.#fail = reject));
    this.failed.catch(() => undefined);
  }

  /** The subscription is there: pausing, resuming and committing go to it. */
  attach(subscription: Subscription): void {
    this.#subscription = subscription;
    // Buffers may have filled while there was nobody to tell.
    subscription.pause([...this.#paused]);
    this.#commits.start();
  }

  callbacks(): SubscribeOptions {
    return {
      group: this.#options.group,
      owner: this.#group.binding.schemaId,
      onJoined: (partitions) => {
        this.#given = partitions.length;
      },
      onAssigned: (partitions) => this.#onAssigned(partitions),
      onRevoked: (partitions) => this.#onRevoked(partitions),
      topicId: () => this.#topicId,
      onBatch: (batch) => {
        this.#watchKeys(batch);
        this.#workers.get(batch.partition)?.push(batch);
      },
      onTrouble: (trouble) => {
        this.#options.observe.onTrouble('log', trouble?.message ?? null);
      },
    };
  }

  #watchKeys(batch: RecordBatch): void {
    if (this.#keyless.size > 1 || this.#keyless.has(batch.partition)) return;
    if (!batch.records.some(({ key }) => key === null)) return;
    this.#keyless.add(batch.partition);
    if (this.#keyless.size > 1) this.#options.observe.onKeyless();
  }

  /** Where this member's partitions stand. */
  nextOffsets(): ReadonlyMap<number, bigint> {
    return new Map([...this.#workers].map(([partition, worker]) => [partition, worker.nextOffset]));
  }

  /** This member has had its share of the partitions, with all that is made good at an assignment, or knows that none is left. */
  get hasShare(): boolean {
    return this.#isAssigned || this.#given === 0;
  }

  get phase(): ConsumerView['phase'] {
    if (this.#given === null) return 'joining';
    return this.#given > 0 && this.#workers.size === 0 ? 'checking' : 'working';
  }

  /** This member's partitions as they stand now. */
  get partitions(): readonly PartitionView[] {
    return [...this.#workers.values()].map(({ partition, nextOffset, oldest }) => ({
      partition,
      nextOffset,
      oldest,
    }));
  }

  /** Finishes what is under way and commits it to the log, which is not waited for where it is away. */
  async drain(): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop()));
    const late = new AbortController();
    const wait = delay(COMPENSATE_WITHIN_MS, undefined, { signal: late.signal }).catch(() => undefined);
    await Promise.race([this.#compensating, wait]);
    late.abort();
    await this.#commits.close();
  }

  /** Publishes the compensating events of what just failed. A log that refuses them ends the consumer; the next one makes it good. */
  compensate(failed: readonly FailedEvent[]): void {
    const targets = failed.flatMap(({ eventId, userId, partition, isRollback }) =>
      isRollback || userId === null ? [] : [{ eventId, userId, partition }],
    );
    this.#compensating = this.#compensating
      .then(() => publishAutoRollbacks(this.#log, targets, this.#autoTerms()))
      .catch((error: unknown) => {
        this.#fail(error);
      });
  }

  #autoTerms(): AutoRollbackTerms {
    return { rules: this.#group.rules, source: this.#options.source };
  }

  async #onAssigned(partitions: readonly number[]): Promise<ReadonlyMap<number, bigint>> {
    // The users table may have been migrated since.
    this.#group = await this.#patience.run(() => rereadTable(this.#group, this.#database));
    const { binding, envelope, schema } = this.#group;
    const { pool } = this.#database;
    const place = { log: this.#log, pool, schema, schemaId: binding.schemaId, envelope };
    const { topicId } = await this.#patience.run(() => bindLog(this.#log, pool, schema, this.#options));
    this.#topicId = topicId;
    const claims = await takeOver({ ...this.#options, ...place }, this.#patience, partitions);
    if (topicId !== null) await this.#patience.run(() => recordTopicId(pool, schema, topicId));
    if (this.#options.onFailure === 'rollback') {
      const terms = this.#autoTerms();
      await publishMissingRollbacks(this.#log, pool, schema, this.#patience, partitions, terms);
    }
    for (const claim of claims) this.#start(claim);
    this.#isAssigned = true;
    this.#options.onAssigned(partitions);
    return new Map(claims.map(({ partition, nextOffset }) => [partition, nextOffset]));
  }

  #start(claim: Position): void {
    const worker = new PartitionWorker(claim, this.#workerContext());
    this.#workers.set(claim.partition, worker);
    // Set at every assignment, backwards too: the log's own commit follows the position (I5).
    this.#commits.set(claim.partition, claim.nextOffset);
    worker.ended.catch((error: unknown) => {
      this.#fail(error);
    });
  }

  async #onRevoked(partitions: readonly number[]): Promise<void> {
    const workers = partitions.flatMap((partition) => this.#workers.get(partition) ?? []);
    await Promise.all(workers.map((worker) => worker.stop()));
    await this.#commits.flush();
    for (const partition of partitions) {
      this.#workers.delete(partition);
      this.#paused.delete(partition);
      this.#commits.forget(partition);
    }
  }

  #workerContext(): WorkerContext {
    const { batchSize, at } = this.#options;
    return {
      ...this.#group,
      ...this.#patienceContext(),
      pool: this.#database.pool,
      turns: this.#turns,
      batchSize,
      at,
      onApplied: (applied) => {
        this.#commits.set(applied.partition, applied.nextOffset);
        this.#options.onApplied(applied);
      },
      pause: (partition) => {
        this.#paused.add(partition);
        this.#subscription?.pause([partition]);
      },
      resume: (partition) => {
        this.#paused.delete(partition);
        this.#subscription?.resume([partition]);
      },
      claimAgain: (partition) => this.#claimAgain(partition),
      gate: (partition, signal) => waitAtGate(this.#database, this.#patience, partition, signal),
    };
  }

  #patienceContext(): Pick<WorkerContext, 'ours' | 'signal' | 'onTrouble'> {
    const { signal, observe } = this.#options;
    return {
      ours: this.#group.ours,
      signal,
      onTrouble: (error) => {
        observe.onTrouble('database', error?.message ?? null);
      },
    };
  }

  async #claimAgain(partition: number): Promise<Position> {
    const { pool, schema } = this.#database;
    const claims = await this.#patience.run(() => raiseEpochs(pool, schema, [partition]));
    const claim = claims[0];
    if (claim === undefined) throw new Error(`the position of partition ${String(partition)} is gone`);
    return claim;
  }

  async #commit(offsets: ReadonlyMap<number, bigint>): Promise<void> {
    if (this.#subscription === null) throw new Error('nothing is subscribed yet');
    await this.#options.at('before-commit');
    await this.#subscription.commit(offsets, commitMetadata(this.#group.binding.schemaId));
    await this.#options.at('after-commit');
  }
}
