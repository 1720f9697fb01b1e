import { areNamed, failedEventIds, type ChosenEvents } from '../failures/choose.ts';
import type { DryRunRequest } from '../rollback/request.ts';
import { dryRun, type RolledBack } from '../rollback/roll-back.ts';
import { askEach, type AskedService, type ServiceError } from './ask-each.ts';

/** What one service would make of a rollback. */
export interface ServicePlans {
  readonly profile: string;
  /** Null where there is an error. */
  readonly planned: Omit<RolledBack, 'isDryRun' | 'sent'> | null;
  readonly error: ServiceError | null;
}

type PlanRequest = Pick<DryRunRequest, 'mode' | 'force' | 'signal' | 'onProgress'>;

/**
 * Plans one rollback in several services, all at once; nothing is sent. Failed events chosen by what they are like are
 * those of the first service. A service that cannot answer has an error; the first one's is thrown where it has to choose.
 */
export async function planInEach(
  services: readonly AskedService[],
  chosen: ChosenEvents,
  request: PlanRequest,
): Promise<readonly ServicePlans[]> {
  const [first] = services;
  if (first === undefined) return [];
  const named = areNamed(chosen) ? chosen : await failedEventIds(await first.database(), chosen);
  const answers = await askEach(services, async ({ database, log, types }) =>
    dryRun(await database(), { ...request, chosen: named, log, types }),
  );
  return answers.map(({ service, value, error }) => ({
    profile: service.profile,
    planned:
      value === null
        ? null
        : { plans: value.plans, rejected: value.rejected, aheadGap: value.aheadGap, exit: value.exit },
    error,
  }));
}
