import type { LogEvent } from './event.ts';

/** An event that the ledger has already. */
export interface KnownEvent {
  readonly userId: string | null;
  readonly operation: string | null;
  /** The value's text, or base64 of what is kept as bytes; null where it was pruned, or there was none. */
  readonly data: string | null;
}

/** Whether an event is new, one that was seen in this batch or is in the ledger, or one whose id is another's (DESIGN 3). */
export function identify(
  event: LogEvent,
  known: ReadonlyMap<string, KnownEvent>,
  seen: ReadonlyMap<string, LogEvent>,
): 'new' | 'duplicate' | 'reused' {
  const inBatch = seen.get(event.eventId);
  if (inBatch !== undefined) {
    const isSame =
      inBatch.userId === event.userId &&
      operationOf(inBatch) === operationOf(event) &&
      isSameValue(inBatch, event);
    return isSame ? 'duplicate' : 'reused';
  }
  const inLedger = known.get(event.eventId);
  if (inLedger === undefined) return 'new';
  const isSame =
    inLedger.userId === event.userId &&
    inLedger.operation === operationOf(event) &&
    (inLedger.data === null || event.value === null || inLedger.data === keptText(event));
  return isSame ? 'duplicate' : 'reused';
}

/** The value as the ledger gives it back: text where it is kept as JSON, else base64 of its bytes. */
export function keptText(event: LogEvent): string | null {
  const isJson = event.kind === 'cud' || event.kind === 'rollback';
  return event.value === null ? null : event.value.toString(isJson ? 'utf8' : 'base64');
}

function isSameValue(a: LogEvent, b: LogEvent): boolean {
  return a.value === null || b.value === null ? a.value === b.value : a.value.equals(b.value);
}

/** The operation as the ledger keeps it: null for what cannot be read or is ignored. */
export function operationOf(event: LogEvent): string | null {
  return event.kind === 'cud' || event.kind === 'rollback' ? event.operation : null;
}
