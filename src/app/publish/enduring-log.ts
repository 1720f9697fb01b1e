import type { EventLog } from '../../log/event-log.ts';

/** For how long a log that went away is waited for: as long as Java's producer has it (`delivery.timeout.ms`). */
const AWAY_MS = 120_000;
/** An append of this length is told. */
const SILENT_MS = 2_000;
/** What is under way at an interrupt mostly ends within moments. */
const GRACE_MS = 3_000;

export interface Endurance {
  /** Its abort ends the waiting, a moment later. */
  readonly signal: AbortSignal;
  /** Told that the log is waited for, and that it has answered. */
  readonly onAway: (isAway: boolean) => void;
  /** ms. @default two minutes */
  readonly awayMs?: number;
}

/**
 * Appends to a log that is patient for ever, until it was away for two minutes or `signal` aborts: then the log is closed,
 * which ends the append under way with LOG_UNREACHABLE. A broker that starts anew beneath a long input is no failure, and
 * what is sent again by the same producer is in the log once.
 */
export function enduring(
  log: EventLog,
  { signal, onAway, awayMs = AWAY_MS }: Endurance,
): Pick<EventLog, 'append'> {
  const giveUp = (): void => {
    log.close().catch(() => undefined);
  };
  return {
    async append(records) {
      const wait = { isTold: false };
      const silence = setTimeout(() => {
        wait.isTold = true;
        onAway(true);
      }, SILENT_MS);
      const limits = [setTimeout(giveUp, awayMs)];
      const onAbort = (): void => void limits.push(setTimeout(giveUp, GRACE_MS));
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        const positions = await log.append(records);
        if (wait.isTold) onAway(false);
        return positions;
      } finally {
        for (const timer of [silence, ...limits]) clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
      }
    },
  };
}
