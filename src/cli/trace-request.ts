import type { TraceRequest } from '../app/trace.ts';
import { traceMatrix, type TraceMatrix } from '../app/services/trace-matrix.ts';
import type { AheadOfUser } from '../app/trace/read-sources.ts';
import type { Context } from './context.ts';
import type { Progress } from './progress.ts';
import { askedService, exitOfServices } from './services.ts';
import { sameLedgerFlags, sameServiceFlags, type ServiceFlags } from './same-service.ts';

/** What `trace` asks for, of its flags and settings. */
export function traceRequest(
  id: string,
  context: Context,
  flags: ServiceFlags & { readonly scan: boolean },
  progress: Progress,
): TraceRequest {
  return {
    id,
    source: context.config.source,
    types: context.config,
    isSearched: flags.scan,
    flags: { logAndLedger: sameServiceFlags(flags), ledger: sameLedgerFlags(flags) },
    openLog: () => context.log(),
    signal: context.signal,
    onProgress: (done, total) => {
      progress.update(done, total);
    },
  };
}

/** Where what lies ahead of this service is looked for; null where no log is configured: its ledger alone is told. */
export function aheadOfUser(context: Context): AheadOfUser | null {
  const { config, signal } = context;
  return config.log.engine === 'missing' ? null : { openLog: () => context.log(), types: config, signal };
}

/** Of which event, or which user, several services are asked. */
interface MatrixAsked {
  readonly id: string | undefined;
  readonly user: string | undefined;
  readonly limit: number;
  readonly isSearched: boolean;
  readonly signal: AbortSignal;
}

/** One user's events, or those of one event's user, in several services. As `traceMatrix` throws. */
export function matrixFor(
  profiles: readonly string[],
  open: (profile: string) => Context,
  { id, user, limit, isSearched, signal }: MatrixAsked,
  progress: Progress,
): Promise<TraceMatrix> {
  const contexts = profiles.map(open);
  const services = contexts.map((context, at) => askedService(profiles[at] ?? '', context));
  const source = contexts[0]?.config.source ?? '';
  const wanted = id === undefined ? { userId: user ?? '' } : { event: id, source, isSearched };
  const onProgress = (done: number, total: number): void => {
    progress.update(done, total);
  };
  return traceMatrix(services, { wanted, limit, signal, onProgress }).finally(() => {
    progress.stop();
  });
}

/** 3 or 4 where a service is not set up or away, 7 where it has no answer for another reason. */
export function exitOfMatrix({ services }: TraceMatrix): 0 | 3 | 4 | 7 {
  return exitOfServices(services.map(({ error }) => error));
}
