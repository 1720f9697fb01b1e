import type { RollbackMode } from '../domain/event.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import type { UserPlan } from '../app/rollback/user-plan.ts';
import type { ModeChoice } from '../app/rollback/request.ts';
import type { Prompts } from './prompts.ts';

/** `--only`, `--cascade`, or null where neither was given. */
export function readMode(flags: { readonly only: boolean; readonly cascade: boolean }): RollbackMode | null {
  return flags.only ? 'only' : flags.cascade ? 'cascade' : null;
}

/**
 * Asks what to do about later events in the way; `show` shows both plans before. The answer is the confirmation too.
 * Without a terminal LATER_EVENTS (exit 6), naming both flags; DECLINED where it is cancelled.
 */
export async function chooseMode(
  prompts: Prompts,
  choice: ModeChoice,
  show: () => void,
): Promise<RollbackMode> {
  const { only, cascade } = choice;
  const later = only.reduce((sum, { outlook }) => sum + outlook.later.length, 0);
  const events = `${String(later)} later ${later === 1 ? 'event' : 'events'}`;
  if (!prompts.isAvailable) {
    const eventIds = only.flatMap(({ outlook }) => outlook.later);
    const message = `${events} of the same user came after what is to be rolled back`;
    throw new UserEventsError('LATER_EVENTS', message, { facts: { eventIds } });
  }
  show();
  const ways = [
    {
      value: 'only',
      label: 'only',
      hint: 'Publish it: the event alone; what came after is executed again without it.',
      plans: only,
    },
    {
      value: 'cascade',
      label: 'cascade',
      hint: 'Publish it: the event and everything of this user that came after it.',
      plans: cascade,
    },
  ] as const;
  // What every service would refuse is not offered.
  const offered = ways.filter(({ plans }) => plans.some(({ outlook }) => outlook.decision.isAccepted));
  const answer = await prompts.choose(`${events} came after. Publish which rollback, to every service?`, [
    ...offered,
    { value: 'cancel', label: 'cancel', hint: 'Nothing is sent.' },
  ]);
  if (answer === 'cancel') throw new UserEventsError('DECLINED', 'Cancelled');
  return answer;
}

/** Told before a rollback is sent that this service could not execute as things are; others may. */
export function obstacleWarnings(plans: readonly UserPlan[]): readonly string[] {
  return plans.flatMap(({ userId, obstacle }) => {
    if (obstacle === null) return [];
    const force = obstacle.code === 'DRIFT' ? '; --force sets the row back all the same' : '';
    return [
      `User ${userId}: this service cannot execute it as things are (${obstacle.code})${force}. Other services may.`,
    ];
  });
}
