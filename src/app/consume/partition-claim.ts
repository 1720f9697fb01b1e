import type { LogEvent } from '../../domain/event.ts';
import type { Facts } from '../../domain/fold.ts';
import type { Pool } from '../../postgres/transaction.ts';
import type { Claim } from '../../postgres/sql/apply-batch.ts';
import { readPositions } from '../../postgres/sql/positions.ts';
import type { ReconcileContext } from '../reconcile/reconcile.ts';
import { FencedError, Patience, type PatienceContext } from './patience.ts';

export interface ClaimContext extends ReconcileContext, PatienceContext {
  readonly pool: Pool;
}

/** Where a consumer stands in one partition, kept right through lost connections and writers beside it. */
export class PartitionClaim {
  #claim: Claim;
  readonly patience: Patience;
  readonly #context: ClaimContext;

  constructor(claim: Claim, context: ClaimContext) {
    this.#claim = claim;
    this.#context = context;
    this.patience = new Patience(context);
  }

  get current(): Claim {
    return this.#claim;
  }

  /** After a commit of ours. */
  moveTo(nextOffset: bigint, revision = this.#claim.revision): void {
    this.#claim = { ...this.#claim, nextOffset, revision };
    this.patience.relax();
  }

  /** Reads facts, with the position of the same snapshot: another epoch or offset means that we were fenced. */
  async readFacts(events: readonly LogEvent[]): Promise<Facts> {
    const rows = new Set<string>();
    const all = new Set<string>();
    for (const event of events) {
      if (event.userId === null) continue;
      all.add(event.userId);
      // Of an unreadable event too: the fold looks at its user's row. Such an id is canonical, or it would be null.
      if (event.kind === 'cud' || event.kind === 'unreadable') rows.add(event.userId);
    }
    const ids = events.map((event) => event.eventId);
    const { pool, readFacts } = this.#context;
    const { facts, position } = await this.patience.run(() =>
      readFacts(pool, this.#claim.partition, [...rows], [...all], ids),
    );
    if (position?.epoch !== this.#claim.epoch || position.nextOffset !== this.#claim.nextOffset) {
      throw new FencedError('the position moved');
    }
    this.#claim = { ...this.#claim, revision: position.revision };
    return facts;
  }

  /**
   * Settles an unknown outcome (DESIGN 4): same epoch and our next offset means committed. The revision is taken over in
   * that case alone: otherwise facts read before are still in hand, and a retry or skip since then has to fence them.
   */
  async wasCommitted(nextOffset: bigint): Promise<boolean> {
    const { pool, schema } = this.#context;
    const positions = await this.patience.run(() => readPositions(pool, schema));
    const position = positions.find(({ partition }) => partition === this.#claim.partition);
    if (position?.epoch !== this.#claim.epoch) throw new FencedError('the epoch was raised');
    const isCommitted = position.nextOffset === nextOffset && nextOffset !== this.#claim.nextOffset;
    if (isCommitted) this.#claim = { ...this.#claim, revision: position.revision };
    return isCommitted;
  }
}
