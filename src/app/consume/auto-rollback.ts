import { EVENT_NAMESPACE } from '../../domain/event-identity.ts';
import type { Rules } from '../../domain/event.ts';
import { uuidV5 } from '../../domain/uuid.ts';
import { writeEnvelope } from '../../domain/write-envelope.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Uncompensated } from '../../postgres/sql/read-uncompensated.ts';

export interface AutoRollbackTerms {
  readonly rules: Rules;
  readonly operator: string;
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
  { rules, operator, source }: AutoRollbackTerms,
): Promise<void> {
  if (failed.length === 0) return;
  const terms = {
    mode: 'cascade',
    upTo: null,
    force: false,
    reason: 'on-failure rollback',
    operator,
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
