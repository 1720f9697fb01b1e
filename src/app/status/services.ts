import type { ErrorCode } from '../../errors/codes.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { ServiceStatus } from '../status.ts';

/** DESIGN 7: Kafka or PostgreSQL cannot be reached. */
const AWAY = 4;

/** One of the services that are looked at. */
export interface Service {
  /** Null: the only one, by whatever settings hold. */
  readonly profile: string | null;
  readonly read: () => Promise<ServiceStatus>;
  /** Translates what a driver threw. */
  readonly explain: (error: unknown) => Promise<unknown>;
}

/** What was seen of one service: its status, or why there is none. */
export type ServiceLook =
  | { readonly profile: string | null; readonly status: ServiceStatus; readonly error: null }
  | { readonly profile: string | null; readonly status: null; readonly error: LookError };

export interface LookError {
  readonly code: ErrorCode;
  readonly exitCode: number;
  readonly message: string;
  readonly hint: string;
}

export interface ServicesStatus {
  readonly services: readonly ServiceLook[];
}

/**
 * Looks at all of them at once: one that is away hides no other. Throws what is not of the closed list, and where there
 * is but one whatever does not pass by itself, as it passes that a server is away.
 */
export async function lookAtServices(services: readonly Service[]): Promise<ServicesStatus> {
  return { services: await Promise.all(services.map((each) => lookAt(each, services.length > 1))) };
}

/** The exit code of a look at several: 4 where one is away, else that of another error, else 0. */
export function exitOf({ services }: ServicesStatus): 0 | 3 | 4 | 5 | 6 {
  const exits = services.flatMap(({ error }) => (error === null ? [] : [error.exitCode]));
  return ([AWAY, 3, 5] as const).find((exit) => exits.includes(exit)) ?? (exits.length > 0 ? 6 : 0);
}

async function lookAt({ profile, read, explain }: Service, isOneOfSeveral: boolean): Promise<ServiceLook> {
  try {
    return { profile, status: await read(), error: null };
  } catch (error) {
    const known = await explain(error);
    if (!(known instanceof UserEventsError)) throw known;
    if (!isOneOfSeveral && known.exitCode !== AWAY) throw known;
    const { code, exitCode, message, hint } = known;
    return { profile, status: null, error: { code, exitCode, message, hint } };
  }
}
