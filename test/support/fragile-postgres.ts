import { execFile } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from '@jest/globals';
import type { EventLog } from '../../src/log/event-log.ts';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { embeddedStatus, startEmbedded, stopEmbedded } from '../../src/postgres/embedded-server.ts';
import { createPool, type Pool } from '../../src/postgres/pool.ts';
import { runCli } from './cli.ts';
import { kafkaBrokers } from './describe-kafka.ts';
import { uniqueName } from './names.ts';
import { startPostgresServer } from './postgres-server.ts';
import { waitFor } from './wait-for.ts';

/** The role of the services: without privileges, so that limits hold for it. */
export const SERVICE_ROLE = 'svc';

/** A service on a server that a test may break, set up by the built CLI. */
export interface FragileService {
  readonly database: string;
  readonly group: string;
  readonly env: Readonly<Record<string, string>>;
  readonly log: EventLog;
  /** As the superuser, whom no limit of connections holds back. */
  readonly pool: Pool;
  /** Closes its connections. */
  close(): Promise<void>;
}

/** A PostgreSQL server of one test file, to be broken. Commits are durable against a kill, not against a power cut. */
export interface FragilePostgres {
  readonly dataDir: string;
  /** As the superuser. */
  readonly admin: Pool;
  /** Changes a setting of the server. */
  configure(setting: string, value: string): Promise<void>;
  /** Makes a database and runs `init` on it, with a topic of its own. `options` are those of `create database`. */
  openService(options?: string): Promise<FragileService>;
  /** As `pg_ctl stop -m immediate`: no checkpoint, no goodbye. */
  shutDownAtOnce(): Promise<void>;
  start(): Promise<void>;
  /** Stops it in order and starts it as a standby, which `select pg_promote()` ends. */
  becomeStandby(): Promise<void>;
  /** Stops it for good. */
  close(): Promise<void>;
}

export async function startFragilePostgres(): Promise<FragilePostgres> {
  const dataDir = await mkdtemp(path.join(process.env['TEST_RUN_DIR'] ?? '', 'fragile-'));
  // Run by root, PostgreSQL is another account, which has to pass through.
  await promisify(execFile)('chmod', ['711', dataDir]);
  const data = path.join(dataDir, 'postgres', 'data');
  const { connectionString } = await startPostgresServer(dataDir);
  const admin = createPool({ connectionString });
  await admin.query(`create role ${SERVICE_ROLE} login password '${SERVICE_ROLE}'`);
  const configure = async (setting: string, value: string): Promise<void> => {
    await admin.query(`alter system set ${setting} = '${value}'`);
    await admin.query('select pg_reload_conf()');
  };
  const start = async (): Promise<void> => {
    await startEmbedded({ dataDir });
  };
  await configure('synchronous_commit', 'on');
  const opened = new Set<FragileService>();
  return {
    dataDir,
    admin,
    configure,
    start,
    async openService(options = '') {
      const service = await setUpService(admin, connectionString, options);
      opened.add(service);
      return service;
    },
    async shutDownAtOnce() {
      process.kill(
        Number((await readFile(path.join(data, 'postmaster.pid'), 'utf8')).split('\n')[0]),
        'SIGQUIT',
      );
      await waitFor(async () => (await embeddedStatus({ dataDir })).state === 'stopped', {
        describe: 'the server to be gone',
      });
    },
    async becomeStandby() {
      await stopEmbedded({ dataDir });
      await writeFile(path.join(data, 'standby.signal'), '');
      await start();
    },
    async close() {
      await Promise.all([...opened].map((service) => service.close()));
      await admin.end();
      await stopEmbedded({ dataDir });
    },
  };
}

async function setUpService(admin: Pool, connectionString: string, options: string): Promise<FragileService> {
  const database = uniqueName('test');
  await admin.query(`create database ${database} owner ${SERVICE_ROLE} ${options}`);
  const url = new URL(connectionString);
  url.pathname = `/${database}`;
  const pool = createPool({ connectionString: url.href });
  url.username = SERVICE_ROLE;
  url.password = SERVICE_ROLE;
  const topic = uniqueName('faults');
  const group = uniqueName('group');
  const where = { KAFKA_BROKERS: kafkaBrokers(), KAFKA_TOPIC: topic, KAFKA_GROUP_ID: group };
  const env = { ...where, DATABASE_URL: url.href };
  const log = createKafkaEventLog({ brokers: [kafkaBrokers()], clientId: 'test', topic, patience: 'short' });
  expect(await runCli(['init', '--partitions', '2'], { env })).toMatchObject({ exitCode: 0 });
  let isClosed = false;
  const close = async (): Promise<void> => {
    if (!isClosed) await Promise.all([pool.end(), log.close()]);
    isClosed = true;
  };
  return { database, group, env, log, pool, close };
}
