import type { RollbackMode, Rules } from '../../domain/event.ts';
import { writeEnvelope } from '../../domain/write-envelope.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { NewRecord } from '../../domain/record.ts';
import type { EventLog, RecordPosition } from '../../log/event-log.ts';
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
   * withdrawn, nothing was sent. `failed`: it could not be executed here, this one or the earlier one that it would repeat.
   */
  readonly outcome: 'sent' | 'pending' | 'already' | 'refused' | 'applied' | 'failed';
  readonly code: string | null;
  readonly message: string | null;
}

/** Whether a plan needs a compensating event. */
export function isSendable({ outlook }: UserPlan): boolean {
  return outlook.decision.isAccepted && outlook.kind !== 'already';
}

export interface SendRequest {
  readonly log: () => Promise<EventLog>;
  readonly terms: SendTerms;
  /** Users of whom plans will come. */
  readonly users: number;
  readonly signal: AbortSignal;
  /** `total`: the users, without those known to need no event. */
  readonly onProgress: (sent: number, total: number) => void;
  /** Translates what a driver threw while it was planned, so that it can be told with what was sent. */
  readonly explain: (error: unknown) => Promise<unknown>;
}

/** Plans, in the order they came, and what was sent for each. */
export interface SentPlans {
  readonly plans: readonly UserPlan[];
  readonly sent: readonly SentRollback[];
}

/**
 * Publishes one compensating event a plan, to the partition of its targets; passes over what needs none. While a portion
 * is on its way the next one is asked for, and may be planned meanwhile. The error of a log that refuses, of planning
 * when something was sent already, and INTERRUPTED between two portions, say in `facts.sent` how many are in the log.
 */
export async function sendRollbacks(
  portions: AsyncGenerator<readonly UserPlan[], void>,
  request: SendRequest,
): Promise<SentPlans> {
  const sender = new Sender(request);
  for (;;) {
    const next = await portions.next().catch(async (error: unknown) => {
      throw await sender.afterPlanning(error);
    });
    if (next.done === true) break;
    await sender.add(next.value);
  }
  return sender.end();
}

/** One portion on its way at a time. */
class Sender {
  readonly #request: SendRequest;
  readonly #plans: UserPlan[] = [];
  readonly #results: SentRollback[] = [];
  #sent = 0;
  #total: number;
  #underWay: Promise<void> = Promise.resolve();

  constructor(request: SendRequest) {
    this.#request = request;
    this.#total = request.users;
  }

  async add(plans: readonly UserPlan[]): Promise<void> {
    await this.#underWay;
    if (this.#request.signal.aborted) throw interrupted(this.#sent, this.#total);
    this.#underWay = this.#send(plans);
    // Awaited with the next portion: until then its failure is nobody's.
    this.#underWay.catch(() => undefined);
  }

  async end(): Promise<SentPlans> {
    await this.#underWay;
    return { plans: this.#plans, sent: this.#results };
  }

  /** What to throw when there is no next portion: with what was sent, if anything was. */
  async afterPlanning(error: unknown): Promise<unknown> {
    await this.#underWay;
    if (this.#sent === 0) return error;
    if (this.#request.signal.aborted) return interrupted(this.#sent, this.#total);
    return stopped(await this.#request.explain(error), this.#sent, this.#total);
  }

  async #send(plans: readonly UserPlan[]): Promise<void> {
    const { log, terms, onProgress } = this.#request;
    const sendable = plans.filter(isSendable);
    this.#total -= plans.length - sendable.length;
    const ids = sendable.map(() => terms.newId());
    const records = sendable.map((plan, at) => recordOf(plan, ids[at] ?? '', terms));
    const positions = await this.#append(log, records);
    let at = 0;
    const results = plans.map((plan) => {
      if (!isSendable(plan)) return unsentOf(plan);
      const sent = sentOf(plan, ids[at] ?? '', positions[at]);
      at += 1;
      return sent;
    });
    this.#results.push(...results);
    this.#plans.push(...plans);
    this.#sent += sendable.length;
    // Users whose events failed since they were counted come too.
    this.#total = Math.max(this.#total, this.#sent);
    if (sendable.length > 0) onProgress(this.#sent, this.#total);
  }

  async #append(log: SendRequest['log'], records: readonly NewRecord[]): Promise<readonly RecordPosition[]> {
    if (records.length === 0) return [];
    try {
      return await (await log()).append(records);
    } catch (error) {
      throw stopped(error, this.#sent, this.#total);
    }
  }
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

function sentOf(
  { userId, targets, outlook: { mode } }: UserPlan,
  eventId: string,
  position: RecordPosition | undefined,
): SentRollback {
  const { partition = null, offset = null } = position ?? {};
  return { userId, targets, mode, eventId, partition, offset, outcome: 'sent', code: null, message: null };
}

/** Of a plan that needs no compensating event. */
function unsentOf({ userId, targets, outlook, underWay, failedHere }: UserPlan): SentRollback {
  const { mode, decision } = outlook;
  const { eventId = null, partition = null, offset = null } = underWay ?? {};
  const base = { userId, targets, mode, eventId, partition, offset, code: null, message: null };
  if (failedHere !== null) {
    const { code = null, message = null } = failedHere.error ?? {};
    return { ...base, eventId: failedHere.eventId, outcome: 'failed', code, message };
  }
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
  const hint = `${error.hint} ${GO_ON}`;
  return new UserEventsError(error.code, message, { cause: error, hint, facts: { sent, total } });
}
