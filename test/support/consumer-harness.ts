import { consume, type ConsumeSummary } from '../../src/app/consume/consume.ts';
import type { ConsumeOptions } from '../../src/app/consume/consume-options.ts';
import type { FailedEvent } from '../../src/app/consume/tally.ts';
import { CONSUMER_DATABASE } from '../../src/cli/consume-options.ts';
import { createUuidV7 } from '../../src/cli/uuid-v7.ts';
import type { CudOperation, JsonObject } from '../../src/domain/event.ts';
import type { NewRecord } from '../../src/domain/record.ts';
import { writeEnvelope } from '../../src/domain/write-envelope.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createPool } from '../../src/postgres/pool.ts';
import type { StatementState, StatementWatch, WatchTimes } from '../../src/postgres/statement-watch.ts';
import { uniqueName } from './names.ts';
import type { TestDatabase } from './test-database.ts';
import { waitFor } from './wait-for.ts';

const newId = createUuidV7(Date.now);

/** The record of an event with a new id. */
export function userRecord(operation: CudOperation, userId: string, fields: JsonObject = {}): NewRecord {
  return writeEnvelope({ kind: 'cud', operation, eventId: newId(), userId, fields }, '/test');
}

/** A consumer in this process, with connections of its own. */
export interface InProcessConsumer {
  readonly group: string;
  /** What it was told of database and log, as `database: message`; null is that it is back. */
  readonly troubles: (string | null)[];
  /** What became of statements without an answer. */
  readonly statements: StatementState[];
  readonly failed: FailedEvent[];
  /** What it threw, once it has ended by itself. */
  readonly error: () => unknown;
  /** Ends it as SIGTERM does. Rejects with what it was ended by before. */
  stop(): Promise<ConsumeSummary>;
  readonly ended: Promise<ConsumeSummary>;
}

export interface ConsumerSettings extends Partial<ConsumeOptions> {
  /** Instead of the database's own: through a proxy, say. */
  readonly connectionString?: string;
  readonly watch?: Partial<WatchTimes>;
  readonly maxConnections?: number;
}

/** Starts a consumer on a prepared database; with the settings of the `consume` command unless others are given. */
export function startConsumer(
  log: EventLog,
  database: Pick<TestDatabase, 'connectionString' | 'schema' | 'address'>,
  settings: ConsumerSettings = {},
): InProcessConsumer {
  const {
    connectionString = database.connectionString,
    watch: times = {},
    maxConnections,
    ...options
  } = settings;
  const stopping = new AbortController();
  const troubles: (string | null)[] = [];
  const statements: StatementState[] = [];
  const failed: FailedEvent[] = [];
  const watch: StatementWatch = {
    signal: stopping.signal,
    onState: (state) => statements.push(state),
    times,
  };
  const pool = createPool({
    connectionString,
    max: maxConnections ?? CONSUMER_DATABASE.maxConnections ?? 3,
    settings: CONSUMER_DATABASE.settings ?? {},
    watch,
  });
  const group = options.group ?? uniqueName('group');
  const all: ConsumeOptions = {
    group,
    acceptGap: false,
    ignoreTypes: new Set(),
    mapTypes: new Map(),
    from: 'start',
    isUntilEnd: false,
    maxEvents: null,
    maxFailed: null,
    onFailure: 'park',
    deadLetters: null,
    batchSize: 100,
    operator: 'tester',
    source: '/test',
    signal: stopping.signal,
    at: () => Promise.resolve(),
    observe: {
      onStarted: () => undefined,
      onApplied: () => undefined,
      onFailed: (event) => failed.push(event),
      onAssigned: () => undefined,
      onKeyless: () => undefined,
      onUnevenGrowth: (from, to) => troubles.push(`growth: ${String(from)} to ${String(to)}`),
      onPositionLost: (error) => troubles.push(`position: ${error.message}`),
      onTrouble: (what, message) => troubles.push(message === null ? null : `${what}: ${message}`),
    },
    ...options,
  };
  let thrown: unknown;
  const ended = consume(log, { ...database, pool }, all).finally(() => pool.end());
  ended.catch((error: unknown) => (thrown = error));
  return {
    group,
    troubles,
    statements,
    failed,
    error: () => thrown,
    ended,
    stop() {
      stopping.abort();
      return ended;
    },
  };
}

/** Waits until everything in the log is decided on. */
export async function waitUntilDecided(
  log: EventLog,
  { pool, schema }: Pick<TestDatabase, 'pool' | 'schema'>,
  consumer?: InProcessConsumer,
  timeoutMs = 30_000,
): Promise<void> {
  const ends = new Map((await log.watermarks()).map(({ partition, high }) => [partition, high]));
  await waitFor(
    async () => {
      const { rows } = await pool.query<{ partition: number; next_offset: bigint }>(
        `select partition, next_offset from ${schema}.position`,
      );
      const at = new Map(rows.map(({ partition, next_offset }) => [partition, next_offset]));
      return [...ends].every(([partition, end]) => end === 0n || (at.get(partition) ?? 0n) >= end);
    },
    {
      timeoutMs,
      describe: () =>
        `everything to be decided; told: ${JSON.stringify(consumer?.troubles)}, thrown: ${String(consumer?.error())}`,
    },
  );
}
