import type { TraceRequest } from '../app/trace.ts';
import type { AheadOfUser } from '../app/trace/user-timeline.ts';
import type { Context } from './context.ts';
import type { Progress } from './progress.ts';
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
