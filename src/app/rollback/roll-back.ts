import type { RollbackMode } from '../../domain/event.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { EventLog } from '../../log/event-log.ts';
import { readFailedTargets } from '../../postgres/sql/read-targets.ts';
import type { Database } from '../../postgres/transaction.ts';
import { requireBoundTopic } from '../bound-topic.ts';
import { openLedger, type Ledger } from '../consume/open-group.ts';
import { planRollback, type UserPlan } from './plan.ts';
import { awaitOutcomes, sendRollbacks, type SendTerms, type SentRollback } from './send.ts';

export interface RollBackRequest {
  /** Opened only when something is sent. */
  readonly log: () => Promise<EventLog>;
  readonly targets: readonly string[] | 'all failed';
  readonly mode: RollbackMode | null;
  readonly force: boolean;
  readonly isDryRun: boolean;
  /** Null: do not wait for the local consumer. */
  readonly waitMs: number | null;
  readonly terms: Omit<SendTerms, 'rules' | 'force'>;
  readonly signal: AbortSignal;
  /** Asks about later events in the way. Throws LATER_EVENTS where there is nobody to ask, DECLINED. */
  readonly chooseMode: (plans: readonly UserPlan[]) => Promise<RollbackMode>;
  /** Throws DECLINED or NO_TERMINAL where it is not confirmed. Not called where nothing is to be sent. */
  readonly confirm: (plans: readonly UserPlan[]) => Promise<void>;
}

export interface RolledBack {
  readonly isDryRun: boolean;
  readonly plans: readonly UserPlan[];
  readonly sent: readonly SentRollback[];
  /** 6: refused; 7: some of several were refused, or one could not be executed here. */
  readonly exit: 0 | 6 | 7;
}

/** So many users are tried out one by one for the plan; more are decided only. */
const DETAILED_USERS = 50;

/**
 * Plans, asks, publishes one compensating event a user, and waits if told to (DESIGN 5). Throws EVENT_NOT_FOUND,
 * LATER_EVENTS, DECLINED, TIMED_OUT; refusals of single users are in the result.
 */
export async function rollBack(database: Database, request: RollBackRequest): Promise<RolledBack> {
  const ledger = await openLedger(database);
  const eventIds = await chooseTargets(database, request.targets);
  let plans = await plan(database, ledger, request, eventIds, request.mode);
  if (request.isDryRun) return { isDryRun: true, plans, sent: [], exit: exitOf(plans.map(refusalOf)) };
  const undecided = plans.filter(({ outlook }) => outlook.kind === 'choose');
  if (undecided.length > 0) {
    plans = await plan(database, ledger, request, eventIds, await request.chooseMode(undecided));
  }
  const sendable = plans.filter(({ outlook }) => outlook.kind !== 'already' && outlook.decision.isAccepted);
  if (sendable.length > 0) {
    const { topic } = await (await request.log()).describe();
    await requireBoundTopic(database, topic);
    await request.confirm(plans);
  }
  const terms = { ...request.terms, rules: ledger.rules, force: request.force };
  let sent = await sendRollbacks(request.log, plans, terms);
  if (request.waitMs !== null) sent = await awaitOutcomes(database, sent, request.waitMs, request.signal);
  return { isDryRun: false, plans, sent, exit: exitOf(sent.map(({ outcome }) => outcome)) };
}

async function chooseTargets(
  database: Database,
  targets: RollBackRequest['targets'],
): Promise<readonly string[]> {
  if (targets !== 'all failed') {
    if (targets.length > 0) return targets;
    throw new UserEventsError('USAGE', 'There is nothing to roll back', {
      hint: 'Name events with --event-id, --from-file or --all-failed.',
    });
  }
  const failed = await readFailedTargets(database.pool, database.schema);
  // A failed rollback is retried or skipped, not rolled back in bulk; an event without a user had no effect.
  return failed
    .filter(({ operation, userId }) => operation !== 'rollback' && userId !== null)
    .map(({ eventId }) => eventId);
}

function plan(
  database: Database,
  ledger: Ledger,
  { force, signal }: RollBackRequest,
  eventIds: readonly string[],
  mode: RollbackMode | null,
): Promise<readonly UserPlan[]> {
  return planRollback(database, ledger, {
    eventIds,
    mode,
    force,
    signal,
    isDetailed: eventIds.length <= DETAILED_USERS,
  });
}

function refusalOf({ outlook }: UserPlan): string {
  return outlook.decision.isAccepted ? 'planned' : 'refused';
}

/** One that was refused is 6; a bulk with any refusal is 7 (DESIGN 5). */
function exitOf(outcomes: readonly string[]): 0 | 6 | 7 {
  if (outcomes.includes('failed')) return 7;
  if (!outcomes.includes('refused')) return 0;
  return outcomes.length === 1 ? 6 : 7;
}
