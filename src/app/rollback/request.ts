import type { RollbackMode } from '../../domain/event.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { TypeSettings } from '../envelope-context.ts';
import type { Ledger } from '../consume/open-group.ts';
import type { ChosenEvents } from '../failures/choose.ts';
import type { Ahead, AheadRequest, UserPartitions } from '../log/read-pending.ts';
import type { SendTerms } from './send.ts';
import type { Rejected, UserTargets } from './targets.ts';
import type { PlanRequest, UserPlan } from './user-plan.ts';

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

/** What is asked of the log ahead of this service: those users, and the partitions of their events. */
export function aheadRequest(
  ledger: Ledger,
  users: AheadRequest['users'],
  { types, signal }: DryRunRequest,
): AheadRequest {
  return { users, keyType: ledger.mapper.table.keyType, types, signal };
}

/** Users, and the partitions of their targets. */
export function partitionsOf(users: readonly UserTargets[]): UserPartitions {
  return new Map(users.map(({ userId, rows }) => [userId, rows.map(({ partition }) => partition)]));
}

/** What is asked of a plan. */
export function planRequest(request: DryRunRequest, ahead: Ahead, isThorough: boolean): PlanRequest {
  const { mode, force, signal } = request;
  const onProgress = (done: number, total: number): void => {
    request.onProgress('plan', done, total);
  };
  return { mode, force, ahead, isThorough, signal, onProgress };
}
