import { setTimeout as wait } from 'node:timers/promises';
import type { Status } from '../../domain/event.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { Database } from '../../postgres/transaction.ts';
import { readStatuses, type EventStatus } from '../../postgres/sql/read-statuses.ts';

/** Ids of one look-up: some 80 kB of parameters. */
const IDS_A_LOOK_UP = 5000;
/** The first wait is short, since a consumer that is up decides within some 10 ms; then ever longer ones, ms. */
const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 500;
const SHOWN_FAILURES = 20;

/** False for the statuses of an event that has no effect, though somebody wanted one. */
function isInEffect(status: Status): boolean {
  return status === 'applied' || status === 'skipped';
}

/** What this service's consumer made of the events sent. */
export interface Outcomes {
  /** Events by status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** The first of those that are not in effect. */
  readonly failures: readonly ({ readonly eventId: string } & EventStatus)[];
  readonly hasFailures: boolean;
}

export interface Wait {
  /** How long at the most, ms. */
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly onProgress: (decided: number) => void;
}

/**
 * Waits until this service's ledger has every one of the events, in whatever order it gets them. Throws TIMED_OUT with
 * `facts.decided`: what was sent stays sent.
 */
export async function waitForOutcomes(
  db: Database,
  eventIds: readonly string[],
  { timeoutMs, now, signal, onProgress }: Wait,
): Promise<Outcomes> {
  const deadline = now() + timeoutMs;
  const statuses: Record<string, number> = {};
  const failures: Outcomes['failures'][number][] = [];
  let decided = 0;
  for (let from = 0; from < eventIds.length; from += IDS_A_LOOK_UP) {
    // A set: one event sent twice is decided once.
    let open = [...new Set(eventIds.slice(from, from + IDS_A_LOOK_UP))];
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
      const found = await readStatuses(db.pool, db.schema, open);
      for (const [eventId, outcome] of found) {
        statuses[outcome.status] = (statuses[outcome.status] ?? 0) + 1;
        const isShown = !isInEffect(outcome.status) && failures.length < SHOWN_FAILURES;
        if (isShown) failures.push({ eventId, ...outcome });
      }
      decided += found.size;
      open = open.filter((eventId) => !found.has(eventId));
      onProgress(decided);
      if (open.length === 0) break;
      if (now() >= deadline) throw timedOut(eventIds, open, decided, timeoutMs);
      await wait(Math.min(waitMs, Math.max(1, deadline - now())), undefined, { signal });
    }
  }
  return { statuses, failures, hasFailures: failures.length > 0 };
}

function timedOut(
  eventIds: readonly string[],
  open: readonly string[],
  decided: number,
  timeoutMs: number,
): UserEventsError {
  const sent = eventIds.length;
  const what =
    sent === 1
      ? `Event ${eventIds[0] ?? ''} was sent, but not decided`
      : `${String(decided)} of ${String(sent)} events sent were decided`;
  return new UserEventsError('TIMED_OUT', `${what} within ${String(timeoutMs / 1000)} s`, {
    facts: { sent, decided, firstUndecided: open[0] ?? null },
  });
}
