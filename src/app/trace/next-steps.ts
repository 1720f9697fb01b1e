import type { EventErrorCode } from '../../errors/codes.ts';
import type { EventRef, NextStep, RollbackRef, TracedStatus } from './event-trace.ts';

/** What the next step depends on. */
export interface Situation {
  readonly eventId: string;
  readonly operation: string | null;
  readonly userId: string | null;
  readonly status: TracedStatus;
  readonly code: EventErrorCode | null;
  readonly blockedBy: EventRef | null;
  readonly withdrawnBy: readonly RollbackRef[];
  /** A rollback's targets. */
  readonly targets: readonly string[];
  readonly isBeforeStart: boolean;
}

/** Codes of what executing again cannot mend: the record itself has to be another one. */
const FINAL: ReadonlySet<EventErrorCode> = new Set(['UNREADABLE', 'EVENT_ID_REUSED', 'WRONG_TYPE']);

/** What a command ends with, so that it means the same service: ` --schema x`, or nothing. */
export interface SameService {
  /** For commands that have flags of the log and of the ledger. */
  readonly logAndLedger: string;
  /** For commands that touch the ledger alone, and have no flags of the log. */
  readonly ledger: string;
}

/** Commands without --topic and --brokers. */
const LEDGER_COMMANDS: ReadonlySet<string | undefined> = new Set(['retry', 'skip', 'users', 'failures']);

/** What an operator can do about an event, likeliest first: commands that run as they are printed. */
export function nextSteps(situation: Situation, flags: SameService): readonly NextStep[] {
  return steps(situation).map(({ command, purpose }) => {
    const isLedgers = LEDGER_COMMANDS.has(command.split(' ')[0]);
    return { command: `user-events ${command}${isLedgers ? flags.ledger : flags.logAndLedger}`, purpose };
  });
}

function steps(situation: Situation): readonly NextStep[] {
  const { eventId, status, operation, blockedBy, withdrawnBy, isBeforeStart } = situation;
  switch (status) {
    case 'failed':
      return operation === 'rollback' ? afterFailedRollback(situation) : afterFailure(situation);
    case 'parked':
      return blockedBy === null
        ? []
        : [{ command: `trace ${blockedBy.eventId}`, purpose: 'see what holds it back, and mend that' }];
    case 'applied':
      return planOf(
        situation,
        eventId,
        operation === 'rollback' ? 'undoing this rollback' : 'rolling it back',
      );
    case 'rolled_back': {
      const rollback = withdrawnBy.findLast(({ isStanding }) => isStanding);
      return planOf(situation, rollback?.eventId ?? null, 'bringing it back');
    }
    case 'refused':
      return afterRefusal(situation);
    case 'skipped':
      return planOf(situation, eventId, 'withdrawing it in every service');
    case 'pending':
      return isBeforeStart
        ? []
        : [
            { command: 'status', purpose: 'see whether a consumer runs, and how far it is behind' },
            { command: 'consume --until-end', purpose: 'execute what the log holds' },
          ];
  }
}

/** What cannot be read had no effect, and without a user nothing can be withdrawn. */
function planOf({ operation, userId }: Situation, eventId: string | null, what: string): readonly NextStep[] {
  if (operation === null || userId === null || eventId === null) return [];
  return [{ command: `rollback --event-id ${eventId} --dry-run`, purpose: `see what ${what} would do` }];
}

function afterFailure({ eventId, userId, code }: Situation): readonly NextStep[] {
  const retry = { command: `retry ${eventId}`, purpose: 'execute it again, once its cause is mended' };
  const rollback = {
    command: `rollback --event-id ${eventId} --dry-run`,
    purpose: 'see what withdrawing it in every service would do',
  };
  const skip = {
    command: `skip ${eventId} --reason "…"`,
    purpose: 'accept the loss in this service, and release what it holds back',
  };
  if (userId === null) return [skip];
  return code !== null && FINAL.has(code) ? [rollback, skip] : [retry, rollback, skip];
}

function afterFailedRollback({ eventId, code }: Situation): readonly NextStep[] {
  const skip = {
    command: `skip ${eventId} --reason "…"`,
    purpose: 'leave the row as it is in this service, and release what it holds back',
  };
  const retry = { command: `retry ${eventId}`, purpose: 'execute it again, once the row is mended' };
  if (code === 'IMAGE_PRUNED') return [skip];
  if (code !== 'DRIFT') return [retry, skip];
  const force = {
    command: `retry ${eventId} --force`,
    purpose: 'execute it over what was changed from outside the log',
  };
  return [retry, force, skip];
}

function afterRefusal({ code, targets }: Situation): readonly NextStep[] {
  const [target] = targets;
  if (target === undefined || code === 'NOT_FOUND') return [];
  return code === 'WOULD_INVALIDATE'
    ? [
        {
          command: `rollback --event-id ${target} --cascade --dry-run`,
          purpose: 'see what withdrawing what came after as well would do',
        },
      ]
    : [{ command: `rollback --event-id ${target} --dry-run`, purpose: 'make the plan again' }];
}
