import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import type { NewRecord } from '../../src/domain/record.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createPool, type Pool } from '../../src/postgres/pool.ts';
import { quoteIdentifier } from '../../src/postgres/sql-text.ts';
import { createDatabase } from '../../src/postgres/embedded-server.ts';
import { uniqueName } from '../../test/support/names.ts';
import { runCommand } from '../frame/command.ts';
import type { Stage } from '../frame/stage.ts';
import { REFUSED_NAME } from './corpus.ts';

export const SCHEMA = 'user_events';
/** Records an `append`: enough for whole requests on every partition, and little memory. */
const RECORDS_AN_APPEND = 8_000;

/** A service as its operator has it: a topic with events in it, a database set up by `init`, a consumer group. */
export interface BenchService {
  readonly log: EventLog;
  readonly topic: string;
  readonly pool: Pool;
  readonly connectionString: string;
  /** What the CLI needs to know of it. */
  readonly env: Readonly<Record<string, string>>;
}

/** Makes a topic, fills it, and sets a service up on it. */
export async function openService(
  stage: Stage,
  partitions: number,
  records: Iterable<NewRecord>,
): Promise<BenchService> {
  const kafka = await stage.kafka();
  const postgres = await stage.postgres();
  const topic = uniqueName('bench');
  const log = createKafkaEventLog({ brokers: [kafka.brokers], clientId: 'bench', topic, patience: 'short' });
  stage.onClose(() => log.close());
  await log.createTopic(partitions);
  await append(stage, log, records);
  await createDatabase(postgres.connectionString, topic);
  const url = new URL(postgres.connectionString);
  url.pathname = `/${topic}`;
  const connectionString = url.href;
  const pool = createPool({ connectionString, max: 2, applicationName: 'bench' });
  stage.onClose(() => pool.end());
  const env = {
    KAFKA_BROKERS: kafka.brokers,
    KAFKA_TOPIC: topic,
    KAFKA_GROUP_ID: topic,
    DATABASE_URL: connectionString,
  };
  await runCommand(stage, ['init'], env);
  await pool.query(
    `alter table public.users add constraint no_refused_name check (name <> '${REFUSED_NAME}')`,
  );
  await watchAssignments(pool);
  return { log, topic, pool, connectionString, env };
}

/** Writes records into a log, in portions. */
export async function append(stage: Stage, log: EventLog, records: Iterable<NewRecord>): Promise<void> {
  let batch: NewRecord[] = [];
  for (const record of records) {
    batch.push(record);
    if (batch.length < RECORDS_AN_APPEND) continue;
    stage.signal.throwIfAborted();
    await log.append(batch);
    batch = [];
  }
  if (batch.length > 0) await log.append(batch);
}

/** Notes when epochs are raised, the first thing of an assignment. The batch statement does not touch that column. */
async function watchAssignments(pool: Pool): Promise<void> {
  await pool.query(`create schema bench;
    create table bench.assigned (at timestamptz not null);
    create function bench.note() returns trigger language plpgsql as
      $$ begin insert into bench.assigned values (clock_timestamp()); return null; end $$;
    create trigger note_assignment after update of epoch on ${quoteIdentifier(SCHEMA)}.position
      for each statement execute function bench.note()`);
}

/** As after `init`: no users, no ledger, no position. The log stays. A checkpoint now rather than under way. */
export async function reset({ pool }: BenchService): Promise<void> {
  await pool.query(
    `truncate ${['ledger', 'attempt', 'position', 'gap'].map((table) => `${SCHEMA}.${table}`).join(', ')},
      public.users, bench.assigned`,
  );
  await pool.query('checkpoint');
}

/** When things happened in a database since its `reset`, by its clock: ms since the epoch. */
export interface Timeline {
  readonly events: number;
  /** Partitions were assigned: what the consumer did from then on is its own time. */
  readonly assignedMs: number;
  readonly firstCommitMs: number;
  readonly lastCommitMs: number;
}

/** Reads the commit times of the ledger. NaN for what did not happen. */
export async function readTimeline({ pool }: Pick<BenchService, 'pool'>): Promise<Timeline> {
  const ms = (time: string): string => `(extract(epoch from ${time}) * 1000)::float8`;
  const { rows } = await pool.query<{ [Name in keyof Timeline]: number | null }>(
    `select sum(n)::int as events, ${ms('min(at)')} as "firstCommitMs", ${ms('max(at)')} as "lastCommitMs",
        (select ${ms('min(at)')} from bench.assigned) as "assignedMs"
      from (select count(*) as n, pg_xact_commit_timestamp(xmin) as at from ${SCHEMA}.ledger group by xmin) as batch`,
  );
  const [row] = rows;
  return {
    events: row?.events ?? 0,
    assignedMs: row?.assignedMs ?? Number.NaN,
    firstCommitMs: row?.firstCommitMs ?? Number.NaN,
    lastCommitMs: row?.lastCommitMs ?? Number.NaN,
  };
}
