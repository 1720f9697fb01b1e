import { seededRandom } from '../bench/frame/random.ts';

/** Where a consumer can be told to kill itself (src/cli/fault-points.ts). */
const POINTS = ['before-statement', 'after-statement', 'before-commit', 'after-commit'] as const;

/** One thing done to the system. `member` counts consumers from 0; whoever injects takes it modulo how many there are. */
export type Fault =
  /** `afterMs` from when it has its partitions, so that between two faults something is executed. */
  | { readonly kind: 'consumer killed'; readonly member: number; readonly afterMs: number }
  | {
      readonly kind: 'consumer killed at a point';
      readonly member: number;
      readonly point: (typeof POINTS)[number];
      readonly times: number;
    }
  /** SIGSTOP for longer than the group's session, then SIGCONT: a zombie. */
  | {
      readonly kind: 'consumer paused';
      readonly member: number;
      readonly ms: number;
      readonly afterMs: number;
    }
  | { readonly kind: 'consumer stopped'; readonly member: number }
  | { readonly kind: 'number of consumers changed'; readonly count: number }
  | { readonly kind: 'broker killed'; readonly ms: number }
  | { readonly kind: 'broker restarted' }
  | { readonly kind: 'database shut down at once'; readonly ms: number }
  | { readonly kind: 'backends terminated' }
  | {
      readonly kind: 'connection cut';
      readonly at: 'batch' | 'commit';
      readonly moment: 'before' | 'after' | 'silence';
    }
  | { readonly kind: 'network silent'; readonly ms: number }
  | { readonly kind: 'users table locked'; readonly ms: number }
  | { readonly kind: 'retry' | 'skip' | 'rollback'; readonly nth: number }
  /** As many as there are, or so many: then all is executed first, since users move between old partitions (docs/adr/0013). */
  | { readonly kind: 'partitions added'; readonly count: number | 'double' }
  | { readonly kind: 'range replayed'; readonly records: number };

export interface Step {
  /** When it is begun, ms from the start. */
  readonly atMs: number;
  readonly fault: Fault;
}

/** Each kind as often as it is drawn before the deck is shuffled anew: so all of them come, also in a short soak's turn. */
const DECK: readonly (readonly [kind: Fault['kind'], times: number])[] = [
  ['consumer killed', 3],
  ['consumer killed at a point', 3],
  ['consumer paused', 1],
  ['consumer stopped', 2],
  ['number of consumers changed', 2],
  ['broker killed', 1],
  ['broker restarted', 1],
  ['database shut down at once', 2],
  ['backends terminated', 3],
  ['connection cut', 4],
  ['network silent', 1],
  ['users table locked', 2],
  ['retry', 3],
  ['skip', 2],
  ['rollback', 1],
  ['partitions added', 1],
  ['range replayed', 2],
];
/** Between two faults, ms: time to recover from some, and none to recover from others. */
const GAP_MS = { least: 500, most: 6_000 };
/** The group's session is 10 s. */
const PAUSE_MS = { least: 11_000, most: 14_000 };
/** A killed member keeps the others from their partitions for the 10 s of its session: then some work has to be done. */
const WORK_MS = { least: 0, most: 4_000 };
/** At a time. */
export const MOST_CONSUMERS = 3;
/** From 4 to 16: each member has several. */
const MOST_GROWTHS = 2;

/** What is done and when: a pure function of the seed, so that a seed repeats the same faults in the same order. */
export function scheduleOf(seed: number, durationMs: number): readonly Step[] {
  const random = seededRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const between = ({ least, most }: { least: number; most: number }): number =>
    least + below(most - least + 1);
  const steps: Step[] = [];
  let deck: Fault['kind'][] = [];
  let growths = 0;
  for (let atMs = between(GAP_MS); atMs < durationMs; atMs += between(GAP_MS)) {
    if (deck.length === 0) deck = DECK.flatMap(([kind, times]) => Array.from({ length: times }, () => kind));
    const [kind = 'consumer killed'] = deck.splice(below(deck.length), 1);
    if (kind === 'partitions added' && ++growths > MOST_GROWTHS) continue;
    steps.push({ atMs, fault: faultOf(kind, below, between) });
  }
  return steps;
}

function faultOf(
  kind: Fault['kind'],
  below: (limit: number) => number,
  between: (range: { least: number; most: number }) => number,
): Fault {
  const of = <T>(choices: readonly [T, ...T[]]): T => choices[below(choices.length)] ?? choices[0];
  switch (kind) {
    case 'consumer killed':
      return { kind, member: below(MOST_CONSUMERS), afterMs: between(WORK_MS) };
    case 'consumer stopped':
      return { kind, member: below(MOST_CONSUMERS) };
    case 'consumer killed at a point':
      return { kind, member: below(MOST_CONSUMERS), point: of(POINTS), times: 1 + below(20) };
    case 'consumer paused':
      return { kind, member: below(MOST_CONSUMERS), ms: between(PAUSE_MS), afterMs: between(WORK_MS) };
    case 'number of consumers changed':
      return { kind, count: 1 + below(MOST_CONSUMERS) };
    case 'broker killed':
    case 'database shut down at once':
      return { kind, ms: between({ least: 0, most: 3_000 }) };
    case 'network silent':
      return { kind, ms: between({ least: 500, most: 12_000 }) };
    case 'users table locked':
      return { kind, ms: between({ least: 500, most: 5_000 }) };
    case 'connection cut':
      return {
        kind,
        at: of(['batch', 'batch', 'commit']),
        moment: of(['before', 'after', 'after', 'silence']),
      };
    case 'retry':
    case 'skip':
    case 'rollback':
      return { kind, nth: below(1000) };
    case 'partitions added':
      return { kind, count: of<number | 'double'>(['double', 1, 2, 3]) };
    case 'range replayed':
      return { kind, records: between({ least: 50, most: 1_000 }) };
    case 'broker restarted':
    case 'backends terminated':
      return { kind };
  }
}
