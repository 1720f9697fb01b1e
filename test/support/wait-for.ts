import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 20;
const DEFAULT_TIMEOUT_MS = 10_000;

export interface WaitOptions {
  /** How long to wait before the test fails, ms. */
  readonly timeoutMs?: number;
  /** What is waited for, for the failure's message; a function is called at the failure and can say how far it came. */
  readonly describe: string | (() => string);
}

/**
 * Waits until `condition` returns something truthy, and returns that. A throw counts as "not yet" and is the cause of
 * the failure when time is up. The way to wait in tests: for a condition, never for a time.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = DEFAULT_TIMEOUT_MS, describe }: WaitOptions,
): Promise<Exclude<Awaited<T>, false | null | undefined | 0 | ''>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let cause: unknown;
    try {
      const value = await condition();
      if (isTruthy(value)) return value;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) {
      const what = typeof describe === 'string' ? describe : describe();
      throw new Error(`Waited ${timeoutMs} ms in vain for ${what}`, { cause });
    }
    await pause(POLL_MS);
  }
}

function isTruthy<T>(value: T): value is Exclude<T, false | null | undefined | 0 | ''> {
  return Boolean(value);
}
