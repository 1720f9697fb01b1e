import type { RollBackRequest } from '../../src/app/rollback/request.ts';
import type { RolledBack } from '../../src/app/rollback/roll-back.ts';
import { createUuidV7 } from '../../src/cli/uuid-v7.ts';
import { UserEventsError } from '../../src/errors/user-events-error.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { prepareUsers } from './apply-harness.ts';
import type { TestDatabase } from './test-database.ts';

/** A ledger with so many failed events of as many users, that a consumer might have written. */
export async function failMany(database: TestDatabase, users: number): Promise<void> {
  const { pool, schema } = database;
  await prepareUsers(database);
  await pool.query(`truncate ${schema}.ledger, ${schema}.position, ${schema}.attempt`);
  await pool.query(
    `insert into ${schema}.ledger (event_id, generation, partition, "offset", user_id, operation, status, published_at, data,
       error_code, error_message)
     select gen_random_uuid(), 0, n % 2, n, 'u' || n, 'create', 'failed', now(), '{"name": "bad"}', 'DATABASE_CONSTRAINT', 'bad'
     from generate_series(1, $1) n`,
    [users],
  );
}

/** How many users have each outcome. */
export const outcomes = ({ sent }: RolledBack): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { outcome } of sent) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
};

/** What `rollback --all-failed --only` asks for. */
export function request(log: EventLog, more: Partial<RollBackRequest> = {}): RollBackRequest {
  return {
    log: () => Promise.resolve(log),
    chosen: { wanted: {}, nowMs: 0 },
    mode: 'only',
    force: false,
    waitMs: null,
    terms: { reason: null, operator: 'tester', source: '/test', newId: createUuidV7(Date.now) },
    types: { ignoreTypes: [], mapTypes: new Map() },
    signal: new AbortController().signal,
    isUnseen: false,
    explain: (error) => Promise.resolve(error),
    onProgress: () => undefined,
    chooseMode: () => Promise.reject(new Error('nothing is to be chosen')),
    confirm: () => Promise.resolve(),
    ...more,
  };
}

/** Of the failed events, in the order of their offsets. */
export async function failedIds({ pool, schema }: TestDatabase): Promise<readonly string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `select event_id as id from ${schema}.ledger where status = 'failed' order by "offset"`,
  );
  return rows.map(({ id }) => id);
}

export async function recordsIn(log: EventLog): Promise<number> {
  return (await log.watermarks()).reduce((sum, { low, high }) => sum + Number(high - low), 0);
}

/** The log, but for what is changed. */
export function withChanges(log: EventLog, changes: Partial<EventLog>): EventLog {
  return {
    engine: log.engine,
    address: log.address,
    describe: () => log.describe(),
    topicId: () => log.topicId(),
    createTopic: (partitions) => log.createTopic(partitions),
    append: (records) => log.append(records),
    watermarks: () => log.watermarks(),
    offsetsAtTime: (timestamp) => log.offsetsAtTime(timestamp),
    read: (ranges, options) => log.read(ranges, options),
    committed: (group) => log.committed(group),
    members: (group) => log.members(group),
    subscribe: (options) => log.subscribe(options),
    close: () => log.close(),
    ...changes,
  };
}

/** The log, but after `whole` appends the next one puts `part` records in and fails. */
export function breakingOff(log: EventLog, whole: number, part: number): EventLog {
  let calls = 0;
  return withChanges(log, {
    append: async (records) => {
      // One of nothing connects.
      if (records.length > 0) calls += 1;
      if (calls <= whole || records.length === 0) return log.append(records);
      await log.append(records.slice(0, part));
      throw new UserEventsError('LOG_UNREACHABLE', 'gone', { facts: { appended: part } });
    },
  });
}

/** The log; of each append of records, into how many partitions they go is entered in `counts`. */
export function countingPartitions(log: EventLog, counts: number[]): EventLog {
  return withChanges(log, {
    append: (records) => {
      // One of nothing connects.
      if (records.length > 0) counts.push(new Set(records.map(({ partition }) => partition)).size);
      return log.append(records);
    },
  });
}
