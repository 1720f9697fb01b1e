import type { RollbackMode } from '../../domain/event.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Database } from '../../postgres/transaction.ts';
import { openLedger, type Ledger } from '../consume/open-group.ts';
import type { TypeSettings } from '../envelope-context.ts';
import type { ChosenEvents } from '../failures/choose.ts';
import {
  NOTHING_AHEAD,
  lookAhead,
  readAhead,
  tryReadAhead,
  type Ahead,
  type AheadRequest,
  type Lookout,
} from '../log/read-pending.ts';
import { awaitOutcomes } from './await-outcomes.ts';
import { MOST_TRIED_OUT, planInPortions, planRollback } from './plan.ts';
import { isSendable, sendRollbacks, type SendTerms, type SentRollback } from './send.ts';
import { findTargets, type FoundTargets, type Rejected, type UserTargets } from './targets.ts';
import type { PlanRequest, UserPlan } from './user-plan.ts';

/** Records of one append: what measured best with kafkajs, and what an interruption waits for. */
const SENT_AT_ONCE = 2000;

/** What a plan is made of. */
export interface DryRunRequest {
  /** Throws CONFIG_HALF where no log is configured: a dry run does without. */
  readonly log: () => Promise<EventLog>;
  readonly chosen: ChosenEvents;
  readonly mode: RollbackMode | null;
  readonly force: boolean;
  readonly types: TypeSettings;
  readonly signal: AbortSignal;
  readonly onProgress: (step: 'plan' | 'send', done: number, total: number) => void;
}

export interface RollBackRequest extends DryRunRequest {
  /** Null: do not wait for the local consumer. */
  readonly waitMs: number | null;
  readonly terms: Omit<SendTerms, 'rules' | 'force'>;
  /** Nobody looks at the plans before (`--yes`): a bulk is sent while it is being planned. */
  readonly isUnseen: boolean;
  /** Asks about later events in the way. Throws LATER_EVENTS where there is nobody to ask, DECLINED. */
  readonly chooseMode: (choice: ModeChoice) => Promise<RollbackMode>;
  /**
   * Throws where it is not confirmed. Called once, before anything is sent, and not where nothing is to be sent. `isAsked`:
   * the mode was asked for. Unseen, the plans are those that were made so far.
   */
  readonly confirm: (plans: Planned, isAsked: boolean) => Promise<void>;
  /** Translates what a driver threw; gives back what it does not know. */
  readonly explain: (error: unknown) => Promise<unknown>;
}

/** What is asked about: users with later events in the way, both ways; and the others, whose plan is one. */
export interface ModeChoice {
  readonly only: readonly UserPlan[];
  /** Of the same users, in the same order. */
  readonly cascade: readonly UserPlan[];
  readonly others: readonly UserPlan[];
}

export interface Planned {
  readonly plans: readonly UserPlan[];
  /** Events of a bulk of which nothing can be withdrawn. */
  readonly rejected: readonly Rejected[];
  /** Why not all that lies ahead in the log was looked at; null where it was. */
  readonly aheadGap: string | null;
}

export interface RolledBack extends Planned {
  readonly isDryRun: boolean;
  readonly sent: readonly SentRollback[];
  /** 6: refused; 7: some of several were refused, or one could not be executed here. */
  readonly exit: 0 | 6 | 7;
}

/**
 * Plans and tries out, all of it, and sends nothing. Does without a log that is away, and says so. EVENT_NOT_FOUND,
 * ROLLBACK_REFUSED, INTERRUPTED.
 */
export async function dryRun(database: Database, request: DryRunRequest): Promise<RolledBack> {
  const ledger = await openLedger(database);
  const { users, rejected } = await findTargets(database, request.chosen);
  const asking = aheadRequest(ledger, users, request);
  const ahead = users.length === 0 ? NOTHING_AHEAD : await tryReadAhead(database, request.log, asking);
  const plans = await planRollback(database, ledger, users, planRequest(request, ahead, true));
  const outcomes = plans.map(({ outlook, failedHere }) => {
    if (failedHere !== null) return 'failed';
    return outlook.decision.isAccepted ? 'planned' : 'refused';
  });
  const planned = { plans, rejected, aheadGap: ahead.gap };
  return { isDryRun: true, ...planned, sent: [], exit: exitOf(outcomes, rejected) };
}

/**
 * Plans, asks, publishes one compensating event a user, and waits if told to (DESIGN 5). What an earlier run has sent is
 * found in the log where this service has not executed it yet, so that a second run goes on where the first one ended.
 * Throws EVENT_NOT_FOUND, LATER_EVENTS, DECLINED, TIMED_OUT, INTERRUPTED; refusals of single users are in the result.
 */
export async function rollBack(database: Database, request: RollBackRequest): Promise<RolledBack> {
  const looking = look(database, request.log);
  // Its failure is told where it is awaited; where there is nothing to roll back it is no matter.
  looking.catch(() => undefined);
  const ledger = await openLedger(database);
  const { users, rejected } = await findTargets(database, request.chosen);
  const asking = aheadRequest(ledger, users, request);
  const ahead = users.length === 0 ? NOTHING_AHEAD : await readAhead(await looking, asking);
  const found = { users, rejected, ahead };
  const { log, signal, explain } = request;
  const { plans, sent: published } = await sendRollbacks(portionsToSend(database, ledger, found, request), {
    log,
    terms: { ...request.terms, rules: ledger.rules, force: request.force },
    users: users.length,
    signal,
    onProgress: (done, total) => {
      request.onProgress('send', done, total);
    },
    explain,
  });
  const { waitMs } = request;
  const sent = waitMs === null ? published : await awaitOutcomes(database, published, waitMs, signal);
  const outcomes = sent.map(({ outcome }) => outcome);
  return { isDryRun: false, plans, rejected, aheadGap: ahead.gap, sent, exit: exitOf(outcomes, rejected) };
}

/** While the ledger is read: connecting to a cluster and to the leaders takes as long as that. */
async function look(database: Database, openLog: DryRunRequest['log']): Promise<Lookout> {
  const log = await openLog();
  // Connects the producer; what is wrong with it is told by the first record.
  log.append([]).catch(() => undefined);
  return lookAhead(database, log);
}

interface Found extends FoundTargets {
  readonly ahead: Ahead;
}

/** Plans that may be sent: confirmed, all of them planned before where somebody is to see them. */
async function* portionsToSend(
  database: Database,
  ledger: Ledger,
  { users, rejected, ahead }: Found,
  request: RollBackRequest,
): AsyncGenerator<readonly UserPlan[], void> {
  const { mode, isUnseen, confirm } = request;
  if (!isUnseen || mode === null || users.length <= MOST_TRIED_OUT) {
    const { plans, isAsked } = await planAndAsk(database, ledger, users, ahead, request);
    if (plans.some(isSendable)) await confirm({ plans, rejected, aheadGap: ahead.gap }, isAsked);
    for (let from = 0; from < plans.length; from += SENT_AT_ONCE)
      yield plans.slice(from, from + SENT_AT_ONCE);
    return;
  }
  const planning = { ...planRequest(request, ahead, false), onProgress: () => undefined };
  let isConfirmed = false;
  for await (const plans of planInPortions(database, ledger, users, planning)) {
    if (!isConfirmed && plans.some(isSendable)) {
      await confirm({ plans, rejected, aheadGap: ahead.gap }, false);
      isConfirmed = true;
    }
    yield plans;
  }
}

function aheadRequest(
  ledger: Ledger,
  users: readonly UserTargets[],
  { types, signal }: DryRunRequest,
): AheadRequest {
  const partitions = (): ReadonlyMap<string, readonly number[]> =>
    new Map(users.map(({ userId, rows }) => [userId, rows.map(({ partition }) => partition)]));
  return { users: partitions, keyType: ledger.mapper.table.keyType, types, signal };
}

function planRequest(request: DryRunRequest, ahead: Ahead, isThorough: boolean): PlanRequest {
  const { mode, force, signal } = request;
  const onProgress = (done: number, total: number): void => {
    request.onProgress('plan', done, total);
  };
  return { mode, force, ahead, isThorough, signal, onProgress };
}

interface Asked {
  readonly plans: readonly UserPlan[];
  readonly isAsked: boolean;
}

async function planAndAsk(
  database: Database,
  ledger: Ledger,
  users: readonly UserTargets[],
  ahead: Ahead,
  request: RollBackRequest,
): Promise<Asked> {
  const base = planRequest(request, ahead, false);
  const plans = await planRollback(database, ledger, users, base);
  const isOpen = ({ outlook }: UserPlan): boolean => outlook.kind === 'choose';
  const only = plans.filter(isOpen);
  if (only.length === 0) return { plans, isAsked: false };
  const open = new Set(only.map(({ userId }) => userId));
  const inTheWay = users.filter(({ userId }) => open.has(userId));
  const cascade = await planRollback(database, ledger, inTheWay, { ...base, mode: 'cascade' });
  const others = plans.filter((plan) => !isOpen(plan));
  const chosen = await request.chooseMode({ only, cascade, others });
  const decided = new Map((chosen === 'only' ? only : cascade).map((plan) => [plan.userId, plan]));
  return { plans: plans.map((plan) => decided.get(plan.userId) ?? plan), isAsked: true };
}

/** One that was refused is 6; a bulk with any refusal is 7 (DESIGN 5). */
function exitOf(outcomes: readonly string[], rejected: readonly Rejected[]): 0 | 6 | 7 {
  if (outcomes.includes('failed') || rejected.length > 0) return 7;
  if (!outcomes.includes('refused')) return 0;
  return outcomes.length === 1 ? 6 : 7;
}
