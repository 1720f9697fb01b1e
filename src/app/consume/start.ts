import { setTimeout as delay } from 'node:timers/promises';
import { backOffMs } from '../../domain/back-off.ts';
import type { EventLog } from '../../log/event-log.ts';
import { isTransient, toUserEventsError } from '../../postgres/sql/outcome.ts';
import type { Database } from '../../postgres/transaction.ts';
import type { ConsumeOptions } from './consume-options.ts';
import { openGroup, type Group } from './open-group.ts';

/** The log rides out by itself that it is away; after this long without an answer people are told. */
const TELL_AFTER_MS = 2_000;

/**
 * Opens the group, and waits for a log or database that is away, as at any later moment: a consumer may be started
 * before they are. Null: `signal` aborted first. Throws what must be mended (see `openGroup`).
 */
export async function openWhenThere(
  log: EventLog,
  database: Database,
  options: ConsumeOptions,
): Promise<Group | null> {
  const { signal, observe } = options;
  const told = new Set<'log'>();
  const timer = setTimeout(() => {
    told.add('log');
    observe.onTrouble('log', `${log.address} does not answer yet`);
  }, TELL_AFTER_MS);
  try {
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        const group = await openGroup(log, database, options);
        if (attempt > 1) observe.onTrouble('database', null);
        if (told.has('log')) observe.onTrouble('log', null);
        return group;
      } catch (error) {
        if (!isTransient(error)) throw error;
        clearTimeout(timer);
        observe.onTrouble('database', toUserEventsError(error, database.address).message);
        await delay(backOffMs(attempt, Math.random()), undefined, { signal }).catch(() => undefined);
      }
    }
    return null;
  } finally {
    clearTimeout(timer);
  }
}
