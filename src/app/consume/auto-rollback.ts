import { EVENT_NAMESPACE } from '../../domain/event-identity.ts';
import type { Rules } from '../../domain/event.ts';
import { uuidV5 } from '../../domain/uuid.ts';
import { writeEnvelope } from '../../domain/write-envelope.ts';
import type { EventLog } from '../../log/event-log.ts';
import { readOutcomes } from '../../postgres/sql/read-targets.ts';
import { readUncompensated, type Uncompensated } from '../../postgres/sql/read-uncompensated.ts';
import type { Pool } from '../../postgres/transaction.ts';
import type { Patience } from './patience.ts';

export interface AutoRollbackTerms {
  readonly rules: Rules;
  /** `ce_source` of what is published. */
  readonly source: string;
}

/** The id of the compensating event that a policy publishes: one for a target and mode, however often it is published. */
function autoRollbackId(eventId: string): string {
  return uuidV5(EVENT_NAMESPACE, JSON.stringify(['on-failure', eventId, 'cascade']));
}

/**
 * Publishes the compensating events of failed ones (`--on-failure rollback`, DESIGN 5). The ids are derived, so that
 * what is published twice counts once: after the commit that failed an event, and at every assignment.
 */
export async function publishAutoRollbacks(
  log: EventLog,
  failed: readonly Uncompensated[],
  { rules, source }: AutoRollbackTerms,
): Promise<void> {
  if (failed.length === 0) return;
  const terms = {
    mode: 'cascade',
    upTo: null,
    force: false,
    reason: 'on-failure rollback',
    // The same in every service: one id has to be one event, byte for byte.
    operator: 'consume --on-failure rollback',
    rules,
  } as const;
  const records = failed.map(({ eventId, userId, partition }) =>
    writeEnvelope(
      {
        kind: 'rollback',
        eventId: autoRollbackId(eventId),
        userId,
        partition,
        targets: [eventId],
        causationId: eventId,
        ...terms,
      },
      source,
    ),
  );
  await log.append(records);
}

/**
 * Publishes those of failed events whose compensating event this service has not seen: it was lost on the way, or lies
 * ahead in the log, where a second one of the same id changes nothing.
 */
export async function publishMissingRollbacks(
  log: EventLog,
  pool: Pool,
  schema: string,
  patience: Patience,
  partitions: readonly number[],
  terms: AutoRollbackTerms,
): Promise<void> {
  const failed = await patience.run(() => readUncompensated(pool, schema, partitions));
  const ids = failed.map(({ eventId }) => autoRollbackId(eventId));
  const seen = await patience.run(() => readOutcomes(pool, schema, ids));
  const missing = failed.filter(({ eventId }) => !seen.has(autoRollbackId(eventId)));
  await publishAutoRollbacks(log, missing, terms);
}
