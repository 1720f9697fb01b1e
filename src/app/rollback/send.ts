import { setTimeout as delay } from 'node:timers/promises';
import type { RollbackMode, Rules } from '../../domain/event.ts';
import { writeEnvelope } from '../../domain/write-envelope.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { EventLog } from '../../log/event-log.ts';
import { readOutcomes } from '../../postgres/sql/read-targets.ts';
import type { Database } from '../../postgres/transaction.ts';
import type { UserPlan } from './plan.ts';

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
  /** Null: `already` or `refused`, nothing was sent. */
  readonly eventId: string | null;
  readonly partition: number | null;
  readonly offset: bigint | null;
  /** `sent` until the local consumer has decided it (`--wait`). */
  readonly outcome: 'sent' | 'already' | 'refused' | 'applied' | 'failed';
  readonly code: string | null;
  readonly message: string | null;
}

/** Publishes one compensating event a plan, to the partition of its targets; passes over what needs none. */
export async function sendRollbacks(
  log: () => Promise<EventLog>,
  plans: readonly UserPlan[],
  terms: SendTerms,
): Promise<readonly SentRollback[]> {
  const { force, reason, operator, rules, source, newId } = terms;
  const sendable = plans.filter(
    (plan) => plan.outlook.decision.isAccepted && plan.outlook.kind !== 'already',
  );
  const ids = new Map(sendable.map((plan) => [plan, newId()]));
  const records = sendable.map((plan) => {
    const { userId, targets, partition, outlook } = plan;
    const { mode, upTo } = outlook;
    const eventId = ids.get(plan) ?? newId();
    return writeEnvelope(
      { kind: 'rollback', eventId, userId, partition, targets, mode, upTo, force, reason, operator, rules },
      source,
    );
  });
  const positions = records.length === 0 ? [] : await (await log()).append(records);
  const placed = new Map(sendable.map((plan, index) => [plan, positions[index]]));
  return plans.map((plan) => {
    const { userId, targets, outlook } = plan;
    const { mode, decision } = outlook;
    const position = placed.get(plan);
    const base = {
      userId,
      targets,
      mode,
      partition: position?.partition ?? null,
      offset: position?.offset ?? null,
    };
    if (!decision.isAccepted) {
      return { ...base, eventId: null, outcome: 'refused', code: decision.code, message: decision.message };
    }
    const outcome = outlook.kind === 'already' ? 'already' : 'sent';
    return { ...base, eventId: ids.get(plan) ?? null, outcome, code: null, message: null };
  });
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

function settled(
  outcome:
    { readonly status: string; readonly code: string | null; readonly message: string | null } | undefined,
): Partial<SentRollback> {
  if (outcome === undefined) return {};
  const { status, code, message } = outcome;
  // A rollback that was rolled back in the meantime had been accepted.
  return { outcome: status === 'failed' || status === 'refused' ? status : 'applied', code, message };
}
