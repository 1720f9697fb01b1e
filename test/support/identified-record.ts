import type { NewRecord } from '../../src/domain/record.ts';
import { writeEnvelope } from '../../src/domain/write-envelope.ts';
import { eventId } from './apply-harness.ts';
import type { Entry } from './arbitrary-histories.ts';

/** The record of an entry of a generated log, whole: its user decides the partition, also for a rollback. */
export function identifiedRecord({ model }: Entry): NewRecord {
  const { id, user, kind, fields, targets, mode, upTo, force } = model;
  const head = { eventId: eventId(id), userId: user };
  if (kind !== 'rollback') return writeEnvelope({ ...head, kind: 'cud', operation: kind, fields }, '/test');
  const terms = { reason: null, operator: 'tester', rules: 'strict' } as const;
  const event = { ...head, ...terms, kind, mode, force, targets: targets.map(eventId), partition: 0 };
  const { partition: _, ...record } = writeEnvelope(
    { ...event, upTo: upTo === null ? null : eventId(upTo) },
    '/test',
  );
  return record;
}
