/** How far back the pace is looked at, ms: long enough for batches that come in gusts, short enough to follow a change. */
const WINDOW_MS = 10_000;
/** Over less than this a rate is noise, ms. */
const SHORTEST_MS = 500;
/** At the end with nothing done for so long, ms, it is idle: what comes next is measured from its own beginning. */
const IDLE_MS = 2_000;

interface Sample {
  readonly atMs: number;
  readonly events: number;
  readonly left: number | null;
}

/** How fast a job goes now (not on average since its start), and how long it will take at that. */
export class Pace {
  #samples: Sample[];

  /** `atMs`: when it began, on any clock that the samples share. */
  constructor(atMs: number) {
    this.#samples = [{ atMs, events: 0, left: null }];
  }

  /** `events` done so far, and how many are left; null where that is not known. */
  sample(atMs: number, events: number, left: number | null): void {
    this.#samples.push({ atMs, events, left });
    // The one just outside the window stays: with it the window is full.
    while ((this.#samples[1]?.atMs ?? Infinity) <= atMs - WINDOW_MS) this.#samples.shift();
    const busy = this.#samples.findLastIndex((each) => each.left !== 0 || each.events !== events);
    const idleSinceMs = this.#samples[busy + 1]?.atMs ?? atMs;
    if (left === 0 && (busy === -1 || atMs - idleSinceMs >= IDLE_MS))
      this.#samples.splice(0, this.#samples.length - 1);
  }

  get eventsPerSecond(): number {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.atMs - first.atMs < SHORTEST_MS) return 0;
    return ((last.events - first.events) * 1000) / (last.atMs - first.atMs);
  }

  /** Seconds until nothing is left, as fast as that has become less; 0 where nothing is; null where it does not. */
  get secondsLeft(): number | null {
    const last = this.#samples.at(-1);
    if (last === undefined || last.left === null) return null;
    if (last.left === 0) return 0;
    const first = this.#samples.find(({ left }) => left !== null);
    if (first?.left == null || last.atMs - first.atMs < SHORTEST_MS) return null;
    const perMs = (first.left - last.left) / (last.atMs - first.atMs);
    return perMs > 0 ? last.left / perMs / 1000 : null;
  }
}
