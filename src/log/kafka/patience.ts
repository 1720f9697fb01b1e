import { setTimeout as wait } from 'node:timers/promises';
import { backOffMs } from '../../domain/back-off.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import { isTransient, translateError, type Destination } from './errors.ts';
import type { Patience } from './settings.ts';

/** A wait between two attempts is 1 s at most: what is back is noticed soon. */
const BACK_OFF = { initialMs: 100, maxMs: 1_000 };
/** How long `short` goes on while the broker answers, but is not ready: an election, a coordinator that loads. */
const NOT_READY_MS = 3_000;
/** The end of one short operation, whatever kafkajs is doing: its own retries add up. */
const SHORT_DEADLINE_MS = 6_000;

export interface Attempts {
  readonly patience: Patience;
  readonly to: Destination;
  /** Ends the waiting: the log was closed, or the reader went away. */
  readonly signal: AbortSignal;
  /** Told when failures begin to be ridden out, and with null when it is over. */
  readonly onTrouble?: ((trouble: { readonly message: string } | null) => void) | undefined;
}

/** The wait before the attempt after so many failures, ms. */
export function waitMs(failures: number): number {
  return backOffMs(failures, Math.random(), BACK_OFF);
}

/** Waits; rejects with LOG_UNREACHABLE when the signal aborts. */
export async function waitOrEnd(ms: number, signal: AbortSignal, to: Destination): Promise<void> {
  await wait(ms, undefined, { signal }).catch(() => {
    throw closedWhileWaiting(to);
  });
}

/**
 * Runs `operation`, again as long as its failure is one that passes: `long` for ever, `short` while the broker
 * answers but is not ready (kafkajs has already tried an unreachable one again). Throws translated errors.
 */
export async function withPatience<T>(operation: () => Promise<T>, attempts: Attempts): Promise<T> {
  const { patience, signal, to, onTrouble } = attempts;
  const start = performance.now();
  for (let failures = 0; ;) {
    try {
      const result = await (patience === 'short' ? withDeadline(operation, to) : operation());
      if (failures > 0) onTrouble?.(null);
      return result;
    } catch (error) {
      const translated = translateError(error, to);
      const goesOn = patience === 'long' || (isNotReady(error) && performance.now() - start < NOT_READY_MS);
      if (!goesOn || !isTransient(error)) throw translated;
      failures += 1;
      if (failures === 1) onTrouble?.({ message: translated.message });
      await waitOrEnd(waitMs(failures), signal, to);
    }
  }
}

/** Rejects with LOG_UNREACHABLE when `operation` has not settled in time; what it does afterwards is of no matter. */
export async function withDeadline<T>(
  operation: () => Promise<T>,
  to: Destination,
  deadlineMs = SHORT_DEADLINE_MS,
): Promise<T> {
  const timer = new AbortController();
  const expiry = wait(deadlineMs, undefined, { signal: timer.signal }).then(() => {
    throw new UserEventsError(
      'LOG_UNREACHABLE',
      `Kafka at ${to.address} did not answer within ${deadlineMs / 1_000} s`,
    );
  });
  // Whichever of the two comes second is not waited for, and must not count as unhandled.
  expiry.catch(() => undefined);
  const running = operation();
  running.catch(() => undefined);
  try {
    return await Promise.race([running, expiry]);
  } finally {
    timer.abort();
  }
}

/** The broker was there, but did not have what was asked for yet. */
export function isNotReady(error: unknown): boolean {
  return isTransient(error) && !isConnectionTrouble(error);
}

const CONNECTION_TROUBLE = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
]);

function isConnectionTrouble(error: unknown): boolean {
  for (let next: unknown = error; next instanceof Error; next = next.cause) {
    if (CONNECTION_TROUBLE.has(next.name)) return true;
  }
  return error instanceof UserEventsError;
}

function closedWhileWaiting({ address }: Destination): UserEventsError {
  return new UserEventsError('LOG_UNREACHABLE', `The log was closed while Kafka at ${address} was away`);
}
