/** What the tests of `trace` have in common: a ledger filled through the real applier, and stories in short. */
import { beforeEach } from '@jest/globals';
import { traceEvent, type TraceRequest } from '../../src/app/trace.ts';
import type { EventTrace } from '../../src/app/trace/event-trace.ts';
import type { FieldEffect } from '../../src/app/trace/row-effect.ts';
import type { LogEvent } from '../../src/domain/event.ts';
import { UserEventsError } from '../../src/errors/user-events-error.ts';
import { eventId, openApplier, prepareUsers } from './apply-harness.ts';
import { useTestDatabase, type TestDatabase } from './test-database.ts';

/** A request while the log is away: what the ledger has is told all the same. */
export function traceRequest(id: string, more: Partial<TraceRequest> = {}): TraceRequest {
  return {
    id,
    source: '/test',
    isSearched: false,
    flags: { logAndLedger: '', ledger: '' },
    types: { ignoreTypes: [], mapTypes: new Map() },
    openLog: () => Promise.reject(new UserEventsError('LOG_UNREACHABLE', 'nobody is there')),
    signal: new AbortController().signal,
    onProgress: () => undefined,
    ...more,
  };
}

interface TraceHarness {
  readonly database: () => TestDatabase;
  /** Applies batches, a call each. */
  readonly apply: (...batches: readonly (readonly LogEvent[])[]) => Promise<void>;
  /** The story of the event that `cud` or `rollback` made for an offset. */
  readonly trace: (offset: number) => Promise<EventTrace>;
}

/** An empty ledger and a new users table before each test: that of `prepareUsers`, and `code varchar(3)`, `big numeric`. */
export function useTraceHarness(): TraceHarness {
  const database = useTestDatabase();
  beforeEach(async () => {
    const { pool, schema } = database();
    await pool.query('drop table if exists public.users');
    await prepareUsers(database());
    await pool.query('alter table public.users add code varchar(3), add big numeric');
    await pool.query(`truncate ${schema}.ledger, ${schema}.position, ${schema}.attempt`);
  });
  return {
    database,
    async apply(...batches) {
      const applier = await openApplier(database());
      for (const events of batches) await applier.apply(events, (events.at(-1)?.offset ?? -1n) + 1n);
    },
    trace: (offset) => traceEvent(database(), traceRequest(eventId(offset))),
  };
}

/** `field: before → after`, of what is carried or changes. */
export function changesOf({ row }: EventTrace): string[] {
  const told = row?.fields.filter(({ isCarried, isChanged }) => isCarried || isChanged) ?? [];
  return told.map(({ field, before, after, isChanged }: FieldEffect) => {
    const mark = isChanged ? '' : ' (same)';
    return `${field}: ${before?.text ?? 'none'} → ${after?.text ?? 'none'}${mark}`;
  });
}

/** The commands to type next. */
export function commandsOf({ next }: EventTrace): string[] {
  return next.map(({ command }) => command);
}
