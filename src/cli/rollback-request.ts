import type { Interfaces } from '@oclif/core';
import { searchCandidates } from '../app/rollback/candidates.ts';
import type { RollBackRequest } from '../app/rollback/request.ts';
import type { Config } from '../config/config.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import type { ChosenEvents } from '../app/failures/choose.ts';
import type { AskedService } from '../app/services/ask-each.ts';
import { planInEach } from '../app/services/plan-in-each.ts';
import type { Context } from './context.ts';
import { confirmAction, type Consent } from './guard.ts';
import { pickEvent } from './pick-event.ts';
import type { Progress } from './progress.ts';
import type { Prompts } from './prompts.ts';
import { chooseMode, obstacleWarnings, readMode } from './rollback-choice.ts';
import { DEFAULT_WAIT_S, type rollbackFlags } from './rollback-flags.ts';
import { exitOfServices } from './services.ts';
import { chosenEvents } from './target-flags.ts';
import type { View } from './theme.ts';
import { renderChoice, renderPlans } from './views/rollback/plan.ts';
import type { PlansInServices } from './views/services/plans.ts';

/** The flags of `rollback` as they are parsed. */
export type RollbackFlagValues = Omit<Interfaces.InferredFlags<typeof rollbackFlags>, 'profile'> &
  Pick<Consent, 'profile'>;

type Questions = Pick<RollBackRequest, 'chooseMode' | 'confirm'>;

/** What `rollback` is asked for, of its flags and settings; without events, one is picked. As `readChosen` throws. */
export async function readRollback(
  context: Context,
  prompts: Prompts,
  flags: RollbackFlagValues,
  progress: Progress,
  screen: Screen,
): Promise<RollBackRequest> {
  const { config, signal } = context;
  return {
    log: () => context.log(),
    chosen: await readChosen(
      () => context.database(),
      prompts,
      flags,
      () => context.now(),
    ),
    mode: readMode(flags),
    force: flags.force,
    waitMs: flags.wait ? (flags.timeout ?? DEFAULT_WAIT_S) * 1000 : null,
    terms: {
      reason: flags.reason ?? null,
      operator: config.operator,
      source: config.source,
      newId: () => context.newId(),
    },
    types: config,
    signal,
    isUnseen: flags.yes,
    explain: (error) => context.explain(error),
    onProgress: (step, done, total) => {
      progress.update(done, total, step === 'plan' ? 'planned' : 'sent');
    },
    ...rollbackQuestions(prompts, config, flags, screen),
  };
}

/** The plan in each of several services. USAGE without --dry-run: what is sent is sent from one. */
export async function plansFor(
  services: readonly AskedService[],
  flags: RollbackFlagValues,
  prompts: Prompts,
  signal: AbortSignal,
): Promise<PlansInServices> {
  const [first] = services;
  if (!flags['dry-run'] || first === undefined) {
    throw new UserEventsError(
      'USAGE',
      'A rollback is sent from one service, and several profiles are named',
      {
        hint: 'See the plan in each of them with --dry-run; then name one: every service executes what it sends.',
      },
    );
  }
  const chosen = await readChosen(first.database, prompts, flags, Date.now);
  const onProgress = (): void => undefined;
  const request = { mode: readMode(flags), force: flags.force, signal, onProgress };
  return { services: await planInEach(services, chosen, request) };
}

/** What the plans of several services come to: 3 or 4 where one could not answer, 7 where one refuses. */
export function exitOfPlans({ services }: PlansInServices): 0 | 3 | 4 | 7 {
  const exit = exitOfServices(services.map(({ error }) => error));
  if (exit !== 0) return exit;
  return services.some(({ planned }) => (planned?.exit ?? 0) !== 0) ? 7 : 0;
}

/**
 * The events that are to be rolled back: those that the command line says, else one that is picked at the terminal.
 * USAGE without a terminal, INTERRUPTED, DECLINED.
 */
async function readChosen(
  database: AskedService['database'],
  prompts: Prompts,
  flags: RollbackFlagValues,
  now: () => number,
): Promise<ChosenEvents> {
  const chosen = await chosenEvents(flags['event-id'] ?? [], flags, now());
  if (chosen !== null) return chosen;
  if (!prompts.isAvailable) {
    throw new UserEventsError('USAGE', 'There is nothing to roll back', {
      hint: 'Name events with --event-id or --from-file, or choose failed ones with --all-failed or filters.',
    });
  }
  const ledger = await database();
  return [await pickEvent(prompts, (term) => searchCandidates(ledger, term), now)];
}

/** Where what is asked about is shown. */
interface Screen {
  readonly show: <Thing>(thing: Thing, view: View<Thing>) => void;
  readonly notice: (text: string) => void;
}

/**
 * What is asked before anything is sent: once. The choice of the mode, made at the sight of both plans, is the
 * confirmation too; in production the profile's name has to be typed all the same.
 */
function rollbackQuestions(
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
