import { chmod, mkdtemp, rm } from 'node:fs/promises';
import pg from 'pg';
import { startKafka, type Kafka } from '../../scripts/kafka/broker.mjs';
import { KAFKA_VERSION } from '../../scripts/kafka/paths.mjs';
import { embeddedStatus, startEmbedded, stopEmbedded } from '../../src/postgres/embedded-server.ts';
import { postgresFolder, runDirPrefix, stopLeftovers } from '../../test/support/services/leftovers.ts';
import type { Versions } from './machine.ts';

/** A server that a bench has started: where it is, and its main process, for pinning. */
export interface PostgresOnStage {
  /** Superuser's connection to the database `postgres`. */
  readonly connectionString: string;
  readonly pid: number;
}

/**
 * Durable as in production (fsync and synchronous_commit stay on). Checkpoints by the bench, between its runs, rather
 * than in the middle of one of them; the corpus fits into memory; commit times are kept, since they are the clock of every figure.
 */
const POSTGRES_SETTINGS = {
  shared_buffers: '512MB',
  max_wal_size: '8GB',
  checkpoint_timeout: '1h',
  track_commit_timestamp: 'on',
};

/** What benches run on: servers of their own, started when they are first asked for, and stopped at the end. */
export class Stage {
  /** Aborted when the bench is interrupted. */
  readonly signal: AbortSignal;
  #closers: (() => Promise<unknown>)[] = [];
  #kafka: Promise<Kafka> | null = null;
  #postgres: Promise<PostgresOnStage> | null = null;
  #folder: Promise<string> | null = null;
  #versions: Versions = { kafka: null, postgres: null };

  constructor(signal: AbortSignal) {
    this.signal = signal;
  }

  get versions(): Versions {
    return this.#versions;
  }

  /** Progress: one line on stderr. */
  say(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  /** Runs at the end, last one first, whatever happened before. */
  onClose(close: () => Promise<unknown>): void {
    this.#closers.push(close);
  }

  /** A folder of this run's own. */
  folder(): Promise<string> {
    this.#folder ??= this.#makeFolder();
    return this.#folder;
  }

  kafka(): Promise<Kafka> {
    this.#kafka ??= this.#startKafka();
    return this.#kafka;
  }

  postgres(): Promise<PostgresOnStage> {
    this.#postgres ??= this.#startPostgres();
    return this.#postgres;
  }

  async close(): Promise<void> {
    for (const close of this.#closers.toReversed()) {
      await close().catch((error: unknown) => {
        this.say(`While ending: ${String(error)}`);
      });
    }
  }

  async #makeFolder(): Promise<string> {
    // What a bench or test run that was killed has left behind goes first.
    await stopLeftovers();
    const folder = await mkdtemp(runDirPrefix);
    // Run by root, PostgreSQL is another account, which has to get to its folder in here.
    await chmod(folder, 0o711);
    this.onClose(() => rm(folder, { recursive: true, force: true }));
    return folder;
  }

  async #startKafka(): Promise<Kafka> {
    await this.folder();
    this.signal.throwIfAborted();
    this.say(`Starting Kafka ${KAFKA_VERSION}`);
    const kafka = await startKafka({
      name: `bench-${String(process.pid)}`,
      ownerPid: process.pid,
      quick: false,
    });
    this.onClose(() => kafka.remove());
    this.#versions = { ...this.#versions, kafka: KAFKA_VERSION };
    return kafka;
  }

  async #startPostgres(): Promise<PostgresOnStage> {
    const dataDir = postgresFolder(await this.folder());
    this.signal.throwIfAborted();
    this.onClose(() => stopEmbedded({ dataDir }));
    this.say('Starting PostgreSQL');
    const { connectionString } = await startEmbedded({ dataDir });
    const client = new pg.Client({ connectionString });
    await client.connect();
    for (const [name, value] of Object.entries(POSTGRES_SETTINGS)) {
      await client.query(`alter system set ${name} = '${value}'`);
    }
    const { rows } = await client.query<{ server_version: string }>('show server_version');
    await client.end();
    this.#versions = { ...this.#versions, postgres: rows[0]?.server_version ?? null };
    // Keeping commit times takes a new start.
    await stopEmbedded({ dataDir });
    const started = await startEmbedded({ dataDir });
    const { pid } = await embeddedStatus({ dataDir });
    if (pid === null) throw new Error('PostgreSQL has no process');
    return { connectionString: started.connectionString, pid };
  }
}
