import { setTimeout as delay } from 'node:timers/promises';

/** An answer younger than this is good enough: whoever looks in between does not ask again, ms. */
const FRESH_MS = 500;
/** An answer that takes longer is none: a scrape has 10 s by default, a probe of Kubernetes 1 s. */
const ANSWER_WITHIN_MS = 800;

/** What is known of something that may be away. */
export interface Finding<T> {
  /** The last answer, however old; null before the first one. */
  readonly value: T | null;
  readonly isAnswering: boolean;
}

/** Asks something that may be away: one question at a time, not too often, and never waiting long. Never throws. */
export class Probe<T> {
  readonly #ask: () => Promise<T>;
  #value: T | null = null;
  #isAnswering = false;
  #settledAt = -Infinity;
  #asking: Promise<void> | null = null;

  constructor(ask: () => Promise<T>) {
    this.#ask = ask;
  }

  /** The state now. A question that is still under way from before counts as not answered. */
  async look(): Promise<Finding<T>> {
    if (this.#asking === null && performance.now() - this.#settledAt > FRESH_MS) this.#begin();
    if (this.#asking !== null) await this.#waitAWhile(this.#asking);
    return { value: this.#value, isAnswering: this.#isAnswering };
  }

  #begin(): void {
    this.#asking = this.#ask()
      .then(
        (value) => {
          this.#value = value;
          this.#isAnswering = true;
        },
        () => {
          this.#isAnswering = false;
        },
      )
      .finally(() => {
        this.#settledAt = performance.now();
        this.#asking = null;
      });
  }

  async #waitAWhile(asking: Promise<void>): Promise<void> {
    const over = new AbortController();
    const isLate = delay(ANSWER_WITHIN_MS, true, { signal: over.signal }).catch(() => false);
    if (await Promise.race([asking.then(() => false), isLate])) this.#isAnswering = false;
    over.abort();
  }
}
