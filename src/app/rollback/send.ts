import { setTimeout as delay } from 'node:timers/promises';
import type { RollbackMode, Rules } from '../../domain/event.ts';
import { writeEnvelope } from '../../domain/write-envelope.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { NewRecord } from '../../domain/record.ts';
import type { EventLog, RecordPosition } from '../../log/event-log.ts';
import { readOutcomes, type OutcomeRow } from '../../postgres/sql/read-targets.ts';
import type { Database } from '../../postgres/transaction.ts';
import type { UserPlan } from './user-plan.ts';

export interface SendTerms {
  readonly force: boolean;
  readonly reason: string | null;
  readonly operator: string;
  readonly rules: Rules;
  readonly source: string;
  readonly newId: () => string;
}

/** A compensating event that was published, or was not needed. */
export interface SentRollback {
  readonly userId: string;
  readonly targets: readonly string[];
  readonly mode: RollbackMode;
  /** Null: `already` or `refused`, there is none. */
  readonly eventId: string | null;
  readonly partition: number | null;
  readonly offset: bigint | null;
  /**
   * `sent`, or `pending` where it had been sent before, until the local consumer has decided it (`--wait`). `already`:
   * withdrawn, nothing was sent.
   */
  readonly outcome: 'sent' | 'pending' | 'already' | 'refused' | 'applied' | 'failed';
  readonly code: string | null;
  readonly message: string | null;
}

/** Records of one append: what measured best with kafkajs, and what an interruption waits for. */
const SENT_AT_ONCE = 2000;

/** Whether a plan needs a compensating event. */
export function isSendable({ outlook }: UserPlan): boolean {
  return outlook.decision.isAccepted && outlook.kind !== 'already';
}

/**
 * Publishes one compensating event a plan, in portions, to the partition of its targets; passes over what needs none. The
 * error of a log that refuses, and INTERRUPTED between two portions, say in `facts.sent` how many are in the log.
 */
export async function sendRollbacks(
  log: () => Promise<EventLog>,
  plans: readonly UserPlan[],
  terms: SendTerms,
  signal: AbortSignal,
  onProgress: (done: number, total: number) => void,
): Promise<readonly SentRollback[]> {
  const sendable = plans.filter(isSendable).map((plan) => ({ plan, eventId: terms.newId() }));
  const sent = new Map<UserPlan, RecordPosition & { readonly eventId: string }>();
  for (let from = 0; from < sendable.length; from += SENT_AT_ONCE) {
    if (signal.aborted) throw interrupted(from, sendable.length);
    const portion = sendable.slice(from, from + SENT_AT_ONCE);
    const positions = await (
      await log()
    )
      .append(portion.map(({ plan, eventId }) => recordOf(plan, eventId, terms)))
      .catch((error: unknown) => {
        throw stopped(error, from, sendable.length);
      });
    positions.forEach((position, at) => {
      const entry = portion[at];
      if (entry !== undefined) sent.set(entry.plan, { ...position, eventId: entry.eventId });
    });
    onProgress(sent.size, sendable.length);
  }
  return plans.map((plan) => resultOf(plan, sent.get(plan)));
}

function recordOf(
  { userId, targets, partition, outlook }: UserPlan,
  eventId: string,
  { force, reason, operator, rules, source }: SendTerms,
): NewRecord {
  const { mode, upTo } = outlook;
  return writeEnvelope(
    { kind: 'rollback', eventId, userId, partition, targets, mode, upTo, force, reason, operator, rules },
    source,
  );
}

function resultOf(
  { userId, targets, outlook, underWay }: UserPlan,
  sent: (RecordPosition & { readonly eventId: string }) | undefined,
): SentRollback {
  const { mode, decision } = outlook;
  const { eventId = null, partition = null, offset = null } = sent ?? underWay ?? {};
  const base = { userId, targets, mode, eventId, partition, offset, code: null, message: null };
  if (sent !== undefined) return { ...base, outcome: 'sent' };
  if (decision.isAccepted) return { ...base, outcome: underWay === null ? 'already' : 'pending' };
  return { ...base, outcome: 'refused', code: decision.code, message: decision.message };
}

const GO_ON = 'Run it again for the rest: what is in the log is found there, and nothing is sent twice.';

function interrupted(sent: number, total: number): UserEventsError {
  const message = `Interrupted: ${String(sent)} of ${String(total)} rollbacks were sent`;
  return new UserEventsError('INTERRUPTED', message, { hint: GO_ON, facts: { sent, total } });
}

/** What the log refused, with how far it came. A single one that is not in has nothing to add. */
function stopped(error: unknown, before: number, total: number): unknown {
  if (!(error instanceof UserEventsError) || total === 1) return error;
  const sent = before + Number(error.facts['appended'] ?? 0);
  const message = `${error.message}: ${String(sent)} of ${String(total)} rollbacks are known to be sent`;
  return new UserEventsError(error.code, message, { cause: error, hint: GO_ON, facts: { sent, total } });
}

const LOOK_EVERY_MS = 50;

/**
 * Waits until this service's consumer has decided what was sent, and says how. TIMED_OUT after `timeoutMs`: what was
 * sent stays sent.
 */
export async function awaitOutcomes(
  database: Database,
  sent: readonly SentRollback[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<readonly SentRollback[]> {
  const ids = sent.flatMap(({ eventId }) => eventId ?? []);
  const until = performance.now() + timeoutMs;
  for (;;) {
    const outcomes = await readOutcomes(database.pool, database.schema, ids);
    if (outcomes.size === ids.length)
      return sent.map((each) => ({ ...each, ...settled(outcomes.get(each.eventId ?? '')) }));
    if (performance.now() > until) {
      const open = ids.length - outcomes.size;
      throw new UserEventsError(
        'TIMED_OUT',
        `${String(open)} of ${String(ids.length)} rollbacks are sent and not executed yet`,
      );
    }
    await delay(LOOK_EVERY_MS, undefined, { signal });
  }
}

function settled(outcome: OutcomeRow | undefined): Partial<SentRollback> {
  if (outcome === undefined) return {};
  const { status, code, message } = outcome;
  // A rollback that was rolled back in the meantime had been accepted.
  return { outcome: status === 'failed' || status === 'refused' ? status : 'applied', code, message };
}
