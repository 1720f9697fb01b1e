import type { EventLog } from '../../log/event-log.ts';
import { readPositions, type Position } from '../../postgres/sql/positions.ts';
import type { Database } from '../../postgres/transaction.ts';
import { openLedger } from '../consume/open-group.ts';
import { NOTHING_AHEAD, lookAhead, tryReadAhead, type Lookout } from '../log/read-pending.ts';
import { awaitOutcomes } from './await-outcomes.ts';
import { planRollback } from './plan.ts';
import {
  aheadRequest,
  partitionsOf,
  planRequest,
  type DryRunRequest,
  type Planned,
  type RollBackRequest,
} from './request.ts';
import { sendRollbacks, type SentRollback } from './send.ts';
import { findTargets, type Rejected } from './targets.ts';
import { findWork } from './work.ts';

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
  const asking = aheadRequest(ledger, () => partitionsOf(users), request);
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
  const reading = readPositions(database.pool, database.schema);
  // A ledger that is not there is told better by `openLedger`.
  reading.catch(() => undefined);
  const looking = look(database, request.log, reading);
  // Its failure is told where it is awaited; where there is nothing to roll back it is no matter.
  looking.catch(() => undefined);
  const ledger = await openLedger(database);
  const positions = await reading;
  const work = await findWork({ database, ledger, positions, looking, request });
  const { users, portions, rejected, ahead } = work;
  const { log, signal, explain, waitMs } = request;
  const { plans, sent: published } = await sendRollbacks(portions, {
    log,
    terms: { ...request.terms, rules: ledger.rules, force: request.force },
    users,
    signal,
    onProgress: (done, total) => {
      request.onProgress('send', done, total);
    },
    explain,
  });
  const sent = waitMs === null ? published : await awaitOutcomes(database, published, waitMs, signal);
  const outcomes = sent.map(({ outcome }) => outcome);
  return { isDryRun: false, plans, rejected, aheadGap: ahead.gap, sent, exit: exitOf(outcomes, rejected) };
}

/** While the ledger is read: connecting to a cluster and to the leaders takes as long as that. */
async function look(
  database: Database,
  openLog: () => Promise<EventLog>,
  reading: Promise<readonly Position[]>,
): Promise<Lookout> {
  const log = await openLog();
  // Connects the producer; what is wrong with it is told by the first record.
  log.append([]).catch(() => undefined);
  return lookAhead(database, log, reading);
}

/** One that was refused is 6; a bulk with any refusal is 7 (DESIGN 5). */
function exitOf(outcomes: readonly string[], rejected: readonly Rejected[]): 0 | 6 | 7 {
  if (outcomes.includes('failed') || rejected.length > 0) return 7;
  if (!outcomes.includes('refused')) return 0;
  return outcomes.length === 1 ? 6 : 7;
}
