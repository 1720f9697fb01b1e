import type { AskedService, ServiceError } from '../app/services/ask-each.ts';
import type { Context } from './context.ts';

/** The same flags with one profile, or none, as every other command has them. */
export function withOneProfile<F extends { readonly profile?: readonly string[] | undefined }>(
  flags: F,
): Omit<F, 'profile'> & { readonly profile: string | undefined } {
  return { ...flags, profile: flags.profile?.[0] };
}

/** The profiles that are to be set side by side, each once; null where there is one, or none. */
export function severalProfiles({
  profile = [],
}: {
  readonly profile?: readonly string[] | undefined;
}): readonly string[] | null {
  const names = [...new Set(profile)];
  return names.length > 1 ? names : null;
}

/** A service that is reached through the context of its profile. */
export function askedService(profile: string, context: Context): AskedService {
  return {
    profile,
    database: () => context.database(),
    log: () => context.log(),
    types: context.config,
    explain: (error) => context.explain(error),
  };
}

/** 3 or 4 where a service is not set up or away, 7 where it has no answer for another reason. */
export function exitOfServices(errors: readonly (ServiceError | null)[]): 0 | 3 | 4 | 7 {
  const exits = errors.flatMap((error) => error?.exit ?? []);
  if (exits.length === 0) return 0;
  return exits.includes(4) ? 4 : exits.includes(3) ? 3 : 7;
}
