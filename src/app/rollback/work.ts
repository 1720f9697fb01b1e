import type { Position } from '../../postgres/sql/positions.ts';
import { countFailedUsers } from '../../postgres/sql/read-failed-users.ts';
import type { Database } from '../../postgres/transaction.ts';
import type { Ledger } from '../consume/open-group.ts';
import { areNamed } from '../failures/choose.ts';
import { failureFilter } from '../failures/wanted.ts';
import { isBehind, NOTHING_AHEAD, readAhead, type Ahead, type Lookout } from '../log/read-pending.ts';
import { planAndAsk } from './ask-mode.ts';
import { readFailedPortions } from './failed-users.ts';
import { MOST_TRIED_OUT, planInPortions, planRead } from './plan.ts';
import { fullestPartition } from './portions.ts';
import { aheadRequest, partitionsOf, planRequest, type RollBackRequest } from './request.ts';
import { isSendable } from './send.ts';
import { findTargets, type FoundTargets, type Rejected } from './targets.ts';
import type { UserPlan } from './user-plan.ts';

/** Records of one append: what measured best with kafkajs, and what an interruption waits for. */
const SENT_AT_ONCE = 2000;

/** Where the work is looked for: the ledger is open, the log may still be being connected to. */
export interface Opened {
  readonly database: Database;
  readonly ledger: Ledger;
  /** Read before any history is (see `lookAhead`). */
  readonly positions: readonly Position[];
  readonly looking: Promise<Lookout>;
  readonly request: RollBackRequest;
}

/** What is to be planned and sent. */
export interface Work {
  readonly users: number;
  readonly rejected: readonly Rejected[];
  readonly ahead: Ahead;
  /** Plans that may be sent: confirmed, all of them planned before where somebody is to see them. */
  readonly portions: AsyncGenerator<readonly UserPlan[], void>;
}

/** Finds what a rollback is about and how it is gone about. As `findTargets` and `readAhead` throw. */
export async function findWork(opened: Opened): Promise<Work> {
  return (await failedBulk(opened)) ?? (await listed(opened));
}

/**
 * Many users with failed events, whose plans nobody looks at before: listed, read, planned and sent portion by portion, so
 * that the consumers are at work soon. Null for everything else, and where this service is behind: what is executed
 * between a look at the log and the reading of a page could be in neither, so that then all users are listed first.
 */
async function failedBulk(opened: Opened): Promise<Work | null> {
  const { database, ledger, positions, looking, request } = opened;
  const { chosen, mode, isUnseen, signal } = request;
  if (areNamed(chosen) || !isUnseen || mode === null) return null;
  const { pool, schema } = database;
  const filter = await failureFilter(pool, schema, chosen.wanted, chosen.nowMs);
  const bulk = { filter, upTo: positions };
  const some = await countFailedUsers(pool, schema, bulk, MOST_TRIED_OUT + 1);
  if (some <= MOST_TRIED_OUT) return null;
  const read = readFailedPortions(database, bulk, signal);
  const users = await countFailedUsers(pool, schema, bulk, null);
  if (isBehind(await looking)) return null;
  const found = { rejected: [], ahead: NOTHING_AHEAD };
  const planned = fullestPartition(planRead(database, ledger, read, { ahead: NOTHING_AHEAD, mode }));
  return { users, ...found, portions: confirmedOnce(planned, found, request) };
}

async function listed({ database, ledger, looking, request }: Opened): Promise<Work> {
  const { users, rejected } = await findTargets(database, request.chosen);
  const asking = aheadRequest(ledger, () => partitionsOf(users), request);
  const ahead = users.length === 0 ? NOTHING_AHEAD : await readAhead(await looking, asking);
  const found = { users, rejected, ahead };
  return { users: users.length, rejected, ahead, portions: listedPortions(database, ledger, found, request) };
}

interface Found extends FoundTargets {
  readonly ahead: Ahead;
}

async function* listedPortions(
  database: Database,
  ledger: Ledger,
  { users, rejected, ahead }: Found,
  request: RollBackRequest,
): AsyncGenerator<readonly UserPlan[], void> {
  const { mode, isUnseen, confirm } = request;
  if (isUnseen && mode !== null && users.length > MOST_TRIED_OUT) {
    const planning = { ...planRequest(request, ahead, false), onProgress: () => undefined };
    yield* confirmedOnce(planInPortions(database, ledger, users, planning), { rejected, ahead }, request);
    return;
  }
  const { plans, isAsked } = await planAndAsk(database, ledger, users, ahead, request);
  if (plans.some(isSendable)) await confirm({ plans, rejected, aheadGap: ahead.gap }, isAsked);
  for (let from = 0; from < plans.length; from += SENT_AT_ONCE) yield plans.slice(from, from + SENT_AT_ONCE);
}

/** Confirmed before the first portion of which something is to be sent. */
async function* confirmedOnce(
  portions: AsyncGenerator<readonly UserPlan[], void>,
  { rejected, ahead }: Omit<Found, 'users'>,
  { confirm }: Pick<RollBackRequest, 'confirm'>,
): AsyncGenerator<readonly UserPlan[], void> {
  let isConfirmed = false;
  for await (const plans of portions) {
    if (!isConfirmed && plans.some(isSendable)) {
      await confirm({ plans, rejected, aheadGap: ahead.gap }, false);
      isConfirmed = true;
    }
    yield plans;
  }
}
