/** One partition of an assignment. */
interface Owned {
  /** The offset expected next; undefined until the caller has said where to begin. */
  next: bigint | undefined;
  /** Paused by the caller. */
  isPaused: boolean;
  /** Whether the caller knows that it has all there is. */
  isEndTold: boolean;
}

/** The partitions that one join of the group gave to this member. Every join makes a new one. */
export class Assignment {
  readonly partitions: readonly number[];
  /** Whether `onAssigned` was called: only then is there something to revoke. */
  isTold = false;
  readonly #owned: ReadonlyMap<number, Owned>;

  constructor(partitions: readonly number[]) {
    this.partitions = partitions;
    this.#owned = new Map(
      partitions.map((partition) => [partition, { next: undefined, isPaused: false, isEndTold: false }]),
    );
  }

  /** Reading begins at `offset`. Returns false where the caller has paused the partition meanwhile. */
  begin(partition: number, offset: bigint): boolean {
    const owned = this.#owned.get(partition);
    if (owned === undefined) return false;
    owned.next = offset;
    return !owned.isPaused;
  }

  pause(partition: number): void {
    const owned = this.#owned.get(partition);
    if (owned !== undefined) owned.isPaused = true;
  }

  /** Returns whether reading may go on: it has begun, and is not somebody else's. */
  resume(partition: number): boolean {
    const owned = this.#owned.get(partition);
    if (owned === undefined) return false;
    owned.isPaused = false;
    return owned.next !== undefined;
  }

  /** The offset expected next, where reading has begun. */
  expected(partition: number): bigint | undefined {
    return this.#owned.get(partition)?.next;
  }

  /** Whether data fetched from `fetchOffset` on are what is to be delivered next. */
  isNext(partition: number, fetchOffset: bigint): boolean {
    const owned = this.#owned.get(partition);
    return owned !== undefined && !owned.isPaused && owned.next === fetchOffset;
  }

  delivered(partition: number, nextOffset: bigint, highWatermark: bigint): void {
    const owned = this.#owned.get(partition);
    if (owned === undefined) return;
    owned.next = nextOffset;
    owned.isEndTold = nextOffset >= highWatermark;
  }

  /** Whether a fetch without anything new has to be told: once, unless the batch before it has said so. */
  tellsEnd(partition: number): boolean {
    const owned = this.#owned.get(partition);
    if (owned === undefined || owned.isEndTold) return false;
    owned.isEndTold = true;
    return true;
  }
}
