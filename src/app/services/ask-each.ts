import { UserEventsError } from '../../errors/user-events-error.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Database } from '../../postgres/transaction.ts';
import type { TypeSettings } from '../envelope-context.ts';

/** One of several services that a command asks: a profile, and how it is reached. */
export interface AskedService {
  readonly profile: string;
  readonly database: () => Promise<Database>;
  /** Throws CONFIG_HALF where no log is configured: what is ahead is then not told. */
  readonly log: () => Promise<EventLog>;
  readonly types: TypeSettings;
  /** Translates what a driver threw into an error of the closed list; gives back what it does not know. */
  readonly explain: (error: unknown) => Promise<unknown>;
}

/** Why a service could not answer. */
export interface ServiceError {
  readonly code: string;
  readonly message: string;
  /** The exit code of the error by itself. */
  readonly exit: number;
}

export interface Answer<T> {
  readonly service: AskedService;
  /** Null where there is an error. */
  readonly value: T | null;
  readonly error: ServiceError | null;
}

/** Asks each service, all at once. One that cannot answer costs its own answer; INTERRUPTED, and what is a bug, are thrown. */
export function askEach<T>(
  services: readonly AskedService[],
  ask: (service: AskedService) => Promise<T>,
): Promise<readonly Answer<T>[]> {
  return Promise.all(
    services.map(async (service): Promise<Answer<T>> => {
      try {
        return { service, value: await ask(service), error: null };
      } catch (error) {
        const known = await service.explain(error);
        if (!(known instanceof UserEventsError) || known.code === 'INTERRUPTED') throw known;
        const { code, message, exitCode } = known;
        return { service, value: null, error: { code, message, exit: exitCode } };
      }
    }),
  );
}
