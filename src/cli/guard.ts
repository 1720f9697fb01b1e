import type { Config } from '../config/config.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import type { Prompts } from './prompts.ts';

/** How far a command line goes on its own word. */
export interface Consent {
  /** `--yes`. */
  readonly yes: boolean;
  /** `--profile` as it was typed; not what the environment or the config file's `default` says. */
  readonly profile?: string | undefined;
}

/**
 * Asks before something is done that others feel. In production the profile's name has to be typed; a script says
 * `--yes --profile NAME`, so that no script meant for another place does it here. Throws DECLINED, NO_TERMINAL, and
 * PRODUCTION_GUARD where `--yes` comes without the name and nobody can be asked.
 */
export async function confirmAction(
  prompts: Prompts,
  { isProduction, profile }: Pick<Config, 'isProduction' | 'profile'>,
  consent: Consent,
  question: string,
): Promise<void> {
  if (!isProduction) return prompts.confirm(question, { yes: consent.yes });
  // Production by USER_EVENTS_PRODUCTION alone: there is no name to type.
  if (profile === null) return prompts.confirm(question, { yes: consent.yes, typed: 'production' });
  if (consent.yes && consent.profile === profile) return;
  if (consent.yes && !prompts.isAvailable) {
    throw new UserEventsError(
      'PRODUCTION_GUARD',
      `Profile "${profile}" is marked as production: --yes alone does not confirm`,
      { hint: `Name it as well: --yes --profile ${profile}.` },
    );
  }
  await prompts.confirm(question, { yes: false, typed: profile });
}
