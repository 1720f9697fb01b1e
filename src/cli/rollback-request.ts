import type { Interfaces } from '@oclif/core';
import { searchCandidates } from '../app/rollback/candidates.ts';
import type { RollBackRequest } from '../app/rollback/roll-back.ts';
import type { Config } from '../config/config.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import type { ChosenEvents } from '../app/failures/choose.ts';
import type { Context } from './context.ts';
import { confirmAction, type Consent } from './guard.ts';
import { pickEvent } from './pick-event.ts';
import type { Prompts } from './prompts.ts';
import { chooseMode, obstacleWarnings, readMode } from './rollback-choice.ts';
import { DEFAULT_WAIT_S, type rollbackFlags } from './rollback-flags.ts';
import { chosenEvents } from './target-flags.ts';
import type { View } from './theme.ts';
import { renderChoice, renderPlans } from './views/rollback/plan.ts';

/** The flags of `rollback` as they are parsed. */
type RollbackFlagValues = Interfaces.InferredFlags<typeof rollbackFlags> & Pick<Consent, 'profile'>;

type Questions = Pick<RollBackRequest, 'chooseMode' | 'confirm'>;

/**
 * What `rollback` is asked for, of its flags and settings; without events, one is picked at the terminal. USAGE without a
 * terminal, INTERRUPTED, DECLINED.
 */
export async function readRollback(
  context: Context,
  prompts: Prompts,
  flags: RollbackFlagValues,
): Promise<Omit<RollBackRequest, keyof Questions | 'onProgress'>> {
  const { config, signal } = context;
  return {
    log: () => context.log(),
    chosen: await readChosen(context, prompts, flags),
    mode: readMode(flags),
    force: flags.force,
    isDryRun: flags['dry-run'],
    waitMs: flags.wait ? (flags.timeout ?? DEFAULT_WAIT_S) * 1000 : null,
    terms: {
      reason: flags.reason ?? null,
      operator: config.operator,
      source: config.source,
      newId: () => context.newId(),
    },
    types: config,
    signal,
  };
}

async function readChosen(
  context: Context,
  prompts: Prompts,
  flags: RollbackFlagValues,
): Promise<ChosenEvents> {
  const chosen = await chosenEvents(flags['event-id'] ?? [], flags, context.now());
  if (chosen !== null) return chosen;
  if (!prompts.isAvailable) {
    throw new UserEventsError('USAGE', 'There is nothing to roll back', {
      hint: 'Name events with --event-id or --from-file, or choose failed ones with --all-failed or filters.',
    });
  }
  const database = await context.database();
  return [
    await pickEvent(
      prompts,
      (term) => searchCandidates(database, term),
      () => context.now(),
    ),
  ];
}

interface Screen {
  readonly show: <Thing>(thing: Thing, view: View<Thing>) => void;
  readonly notice: (text: string) => void;
}

/**
 * What is asked before anything is sent: once. The choice of the mode, made at the sight of both plans, is the
 * confirmation too; in production the profile's name has to be typed all the same.
 */
export function rollbackQuestions(
  prompts: Prompts,
  config: Config,
  flags: RollbackFlagValues,
  { show, notice }: Screen,
): Questions {
  return {
    chooseMode: (choice) =>
      chooseMode(prompts, choice, () => {
        show(choice, renderChoice);
      }),
    confirm: async (planned, isAsked) => {
      const { plans, aheadGap } = planned;
      if (!isAsked && !flags.yes) show(planned, renderPlans);
      else if (aheadGap !== null)
        notice(`What is sent and not executed here yet may be missing: ${aheadGap}.`);
      for (const warning of obstacleWarnings(plans)) notice(warning);
      if (isAsked && !config.isProduction) return;
      const { yes, profile } = flags;
      await confirmAction(prompts, config, { yes, profile }, 'Publish this rollback to every service?');
    },
  };
}
