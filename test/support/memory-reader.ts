import type { ColumnMapper } from '../../src/domain/column-values.ts';
import { meddled, meddlingOf, nextRollback, type Entry, type Reading } from './arbitrary-histories.ts';
import type { MemoryRow } from './memory-ledger.ts';
import { MemoryService } from './memory-service.ts';

/** A service that has read a log, and the users whose rows somebody changed from outside. */
export interface Reader {
  readonly service: MemoryService;
  readonly touched: ReadonlySet<string>;
}

/** Reads a log to its end in one service, as `how` says. */
export function read(
  log: readonly Entry[],
  how: readonly Reading[],
  mapper: ColumnMapper,
  refuses: (row: MemoryRow) => boolean,
): Reader {
  const service = new MemoryService(mapper, refuses);
  const touched = new Set<string>();
  for (let turn = 0; service.position < log.length; turn++) {
    const { size, redelivered, then } = how[turn % how.length] ?? { size: 1, redelivered: 0, then: null };
    const from = Math.max(0, Number(service.position) - redelivered);
    service.consume(log.slice(from, Number(service.position) + size).map(({ event }) => event));
    const failed = service.ledger.entries.filter(({ status }) => status === 'failed');
    const chosen = failed[then?.nth ?? 0];
    if (then === null || then.kind === 'nothing') continue;
    if (then.kind === 'mend') service.refuses = () => false;
    else if (then.kind === 'meddle') {
      const next = nextRollback(log, Number(service.position));
      service.consume(log.slice(Number(service.position), next).map(({ event }) => event));
      const user = log[next]?.model.user ?? 'a';
      service.meddle(user, (row) => meddled(row, meddlingOf(then.nth)));
      touched.add(user);
    } else if (chosen !== undefined) service.decideAgain(then.kind, chosen.eventId);
  }
  return { service, touched };
}
