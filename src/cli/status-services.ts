import { readStatus, type ServiceStatus } from '../app/status.ts';
import { awaitLag } from '../app/status/await-lag.ts';
import { measureStatus, withPace } from '../app/status/pace.ts';
import type { Service } from '../app/status/services.ts';
import type { Context } from './context.ts';
import { DEFAULT_WAIT_S, type StatusFlags } from './status-flags.ts';

/** A connection on which nothing is heard any more is cut off: it would hold up the looks at all services. */
const WATCHED = { onStatement: (): void => undefined };

/** How a context is opened: `BaseCommand.context`. */
type OpenContext = (flags: Readonly<Record<string, unknown>>, needs: 'both', profile?: string) => Context;

/**
 * The services that the flags mean: one for each --profile, or the one of whatever settings hold. Several profiles go
 * before the environment, which could mean only one of them. Settings are decided here: a profile that is not in the
 * file is CONFIG_INVALID before anything is asked.
 */
export function openServices(open: OpenContext, { profile: names = [], ...flags }: StatusFlags): Service[] {
  const profiles = [...new Set(names)];
  const [only] = profiles;
  if (profiles.length < 2) {
    return [toService(open({ ...flags, profile: only }, 'both'), only ?? null, flags)];
  }
  return profiles.map((name) => toService(open(flags, 'both', name), name, flags));
}

function toService(context: Context, profile: string | null, flags: Omit<StatusFlags, 'profile'>): Service {
  const { signal } = context;
  const look = async (): Promise<ServiceStatus> => {
    const [log, database] = [await context.log(), await context.database(WATCHED)];
    return readStatus(log, database, { group: context.config.group, now: () => context.now() });
  };
  const timeoutMs = (flags.timeout ?? DEFAULT_WAIT_S) * 1000;
  let before: ServiceStatus | null = null;
  /** Under --watch the look before is there to measure by. */
  const lookAgain = async (): Promise<ServiceStatus> => {
    const last = before;
    before = await look();
    return last === null ? before : withPace(last, before);
  };
  const read = flags.watch
    ? lookAgain
    : flags.wait
      ? (): Promise<ServiceStatus> => awaitLag(look, flags['max-lag'] ?? 0, timeoutMs, signal)
      : (): Promise<ServiceStatus> => measureStatus(look, signal);
  return { profile, read, explain: (error) => context.explain(error) };
}
