import type { Database } from '../../postgres/transaction.ts';
import type { Ledger } from '../consume/open-group.ts';
import type { Ahead } from '../log/read-pending.ts';
import { planRollback } from './plan.ts';
import { planRequest, type RollBackRequest } from './request.ts';
import type { UserTargets } from './targets.ts';
import type { UserPlan } from './user-plan.ts';

/** Plans of one mode each; `isAsked`: somebody chose it. */
export interface Asked {
  readonly plans: readonly UserPlan[];
  readonly isAsked: boolean;
}

/** Plans what somebody is to see; asks once for the mode where later events are in the way. As `chooseMode` throws. */
export async function planAndAsk(
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
