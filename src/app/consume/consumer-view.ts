/** One of a consumer's partitions, as it stands now. */
export interface PartitionView {
  readonly partition: number;
  /** The next offset to decide. */
  readonly nextOffset: bigint;
  /** Timestamp (ms) of the oldest event that is fetched and not decided; null where none is waiting here. */
  readonly oldest: number | null;
}

/** What can be seen of a consumer while it runs: always as it is at that moment. */
export interface ConsumerView {
  /** `joining` the group, `checking` the partitions that it was given, `working` on them (or spare: a member without any). */
  readonly phase: 'joining' | 'checking' | 'working';
  readonly partitions: readonly PartitionView[];
  /** With --until-end, where it ends, by partition; null: it does not end by itself. */
  readonly ends: ReadonlyMap<number, bigint> | null;
}

/** Before there is anything to see. */
export const NOTHING_TO_SEE: ConsumerView = { phase: 'joining', partitions: [], ends: null };
