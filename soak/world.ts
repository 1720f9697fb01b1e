import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Kafka } from '../scripts/kafka/broker.mjs';
import type { EventLog } from '../src/log/event-log.ts';
import { createKafkaEventLog } from '../src/log/kafka/event-log.ts';
import { createDatabase, embeddedStatus, startEmbedded } from '../src/postgres/embedded-server.ts';
import { createPool, type Pool } from '../src/postgres/pool.ts';
import { postgresFolder } from '../test/support/services/leftovers.ts';
import { waitFor } from '../test/support/wait-for.ts';
import { startTcpProxy, type TcpProxy } from '../test/support/tcp-proxy.ts';
import { runCommand } from '../bench/frame/command.ts';
import type { Stage } from '../bench/frame/stage.ts';
import { USERS_TABLE } from './poison.ts';

/** The ledger's schema, by default. */
export const SCHEMA = 'user_events';
const TOPIC = 'soak';
/** At the start; growth doubles them. */
export const PARTITIONS = 4;
/** Another fault has the database away for seconds at most. */
const ANSWERS_WITHIN_MS = 120_000;
const POLL_MS = 50;

type Environment = Readonly<Record<string, string>>;

/** One service on a broker and a database server that are there to be broken. */
export interface World {
  readonly kafka: Kafka;
  readonly group: string;
  readonly topic: string;
  /** To the database itself, past the proxy. */
  readonly pool: Pool;
  /** Between the consumers and their database. */
  readonly proxy: TcpProxy;
  /** Of the consumers, whose database is behind the proxy; and of the operator's commands, whose is not. */
  readonly env: { readonly consumer: Environment; readonly operator: Environment };
  /** The soak's own question to a database that may be away at the moment. */
  ask<Row extends object>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** A log with connections of its own, closed at the end. It rides out a broker that is away. */
  openLog(): EventLog;
  shutDatabaseDown(): Promise<void>;
  startDatabase(): Promise<void>;
}

/** Starts the servers and sets the service up as its operator does. Closed with the stage. */
export async function createWorld(stage: Stage): Promise<World> {
  const [kafka, postgres] = [await stage.kafka(), await stage.postgres()];
  const dataDir = postgresFolder(await stage.folder());
  await createDatabase(postgres.connectionString, TOPIC);
  const direct = new URL(postgres.connectionString);
  direct.pathname = `/${TOPIC}`;
  const pool = createPool({ connectionString: direct.href, applicationName: 'soak' });
  stage.onClose(() => pool.end());
  const proxy = await startTcpProxy({ host: '127.0.0.1', port: Number(direct.port) });
  stage.onClose(() => proxy.close());
  const proxied = new URL(direct);
  proxied.hostname = '127.0.0.1';
  proxied.port = String(proxy.port);
  const where = { KAFKA_BROKERS: kafka.brokers, KAFKA_TOPIC: TOPIC, KAFKA_GROUP_ID: TOPIC };
  const env = {
    consumer: { ...where, DATABASE_URL: proxied.href },
    operator: { ...where, DATABASE_URL: direct.href, USER_EVENTS_OPERATOR: 'soak' },
  };
  const openLog = (): EventLog => {
    const { brokers } = kafka;
    const log = createKafkaEventLog({ brokers: [brokers], clientId: 'soak', topic: TOPIC, patience: 'long' });
    stage.onClose(() => log.close());
    return log;
  };
  await pool.query(USERS_TABLE);
  await runCommand(stage, ['init', '--partitions', String(PARTITIONS)], env.operator);
  return {
    ...{ kafka, group: TOPIC, topic: TOPIC, pool, proxy, env, openLog },
    ask: <Row extends object>(text: string, values: readonly unknown[] = []) =>
      waitFor(() => pool.query<Row>(text, [...values]).then(({ rows }) => rows), {
        timeoutMs: ANSWERS_WITHIN_MS,
        describe: 'the database to answer',
      }),
    shutDatabaseDown: () => shutDownAtOnce(dataDir),
    async startDatabase() {
      await startEmbedded({ dataDir });
    },
  };
}

/** As `pg_ctl stop -m immediate`: no checkpoint, no goodbye. */
async function shutDownAtOnce(dataDir: string): Promise<void> {
  const file = await readFile(path.join(dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8');
  process.kill(Number(file.split('\n')[0]), 'SIGQUIT');
  while ((await embeddedStatus({ dataDir })).state !== 'stopped') await pause(POLL_MS);
}
