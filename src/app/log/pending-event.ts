import type { LogEvent } from '../../domain/event.ts';
import { isoTime } from '../trace/iso-time.ts';

/** An event that lies in the log ahead of this service. */
export interface PendingEvent {
  readonly eventId: string;
  /** Null where the record cannot be read or is ignored. */
  readonly operation: string | null;
  readonly partition: number;
  readonly offset: bigint;
  /** ISO 8601: when it was published. */
  readonly timestamp: string;
  /** Of a rollback. */
  readonly operator: string | null;
  readonly reason: string | null;
}

/** A record ahead of this service, in short. */
export function toPending(event: LogEvent): PendingEvent {
  const { eventId, partition, offset } = event;
  const terms = event.kind === 'rollback' ? event : { operator: null, reason: null };
  return {
    eventId,
    operation: event.kind === 'cud' || event.kind === 'rollback' ? event.operation : null,
    partition,
    offset,
    timestamp: isoTime(event.timestamp),
    operator: terms.operator,
    reason: terms.reason,
  };
}
