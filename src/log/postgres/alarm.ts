/** Wakes whoever waits, or whoever waits next: a call between two waits is not lost. One waits at a time. */
export class Alarm {
  #ring: (() => void) | undefined;
  #isRung = false;

  wake(): void {
    this.#isRung = true;
    this.#ring?.();
  }

  /** Settles when it is woken, after `ms`, or when `signal` aborts. */
  wait(signal: AbortSignal, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const settle = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', settle);
        this.#ring = undefined;
        this.#isRung = false;
        resolve();
      };
      const timer = setTimeout(settle, ms);
      signal.addEventListener('abort', settle, { once: true });
      this.#ring = settle;
      if (this.#isRung || signal.aborted) settle();
    });
  }
}
