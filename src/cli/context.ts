import {
  DEFAULT_TOPIC,
  EMBEDDED_LOG_DATABASE,
  EMBEDDED_USERS_DATABASE,
  missingHalf,
  type Config,
} from '../config/config.ts';
import { loadConfig, type ConfigRequest } from '../config/load-config.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import type { EventLog } from '../log/event-log.ts';
import type * as embeddedModule from '../postgres/embedded-server.ts';
import type { EmbeddedServer } from '../postgres/embedded-server.ts';
import type { MigrateResult, SchemaState } from '../postgres/migrate.ts';
import type { Database } from '../postgres/pool.ts';
import type { StatementState } from '../postgres/statement-watch.ts';
import type { Engine } from './engine.ts';
import { createUuidV7 } from './uuid-v7.ts';

/** Which half of the system a command uses. */
export type Needs = 'log' | 'database' | 'both' | 'none';

/** `short`: answers within 2 s where nobody is there. `long`: rides out whatever is away (consume, relay, -f, a long publish). */
export type Patience = 'short' | 'long';

/** The embedded engine, in messages. */
const EMBEDDED_ADDRESS = 'the embedded engine';

/** Everything a use case is given: settings, connections (made at first use), the clock and ids. */
export interface Context {
  readonly config: Config;
  /** The event log, or another topic of the same engine. Made once for each. Throws CONFIG_HALF where it is not configured. */
  log(patience?: Patience, topic?: string): Promise<EventLog>;
  /** The service's database. Made once: the options of the first call count. Throws CONFIG_HALF likewise. */
  database(options?: DatabaseOptions): Promise<Database>;
  /** The same database by connections of its own, which never wait for what those of `database` are busy with. */
  databaseBeside(options: DatabaseOptions): Promise<Database>;
  /** The database's connection string, for what runs in another process (the tour): it may hold a password. */
  databaseUrl(): Promise<string>;
  /** Brings the ledger's schema up to this version; says what it ran. */
  migrateLedger(): Promise<MigrateResult>;
  /** Compares the ledger's schema with this version. */
  ledgerState(): Promise<SchemaState>;
  /** ms since the epoch. */
  now(): number;
  /** A new UUIDv7, greater than the one before. */
  newId(): string;
  /** The embedded engine itself, whether or not it is in use. */
  readonly engine: Engine;
  readonly signal: AbortSignal;
  /** Whether there is somebody to ask. */
  readonly isTerminal: boolean;
  /** Translates what a driver threw into an error of the closed list; gives back what it does not know. */
  explain(error: unknown): Promise<unknown>;
  /** Closes what was opened. Safe to repeat. */
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly maxConnections?: number;
  /** Session settings (`statement_timeout` …). */
  readonly settings?: Readonly<Record<string, string>>;
  /** After this long without an answer a statement fails; without it it is waited for, ms. */
  readonly answerWithinMs?: number;
  /** Told of statements that are not answered (see `StatementWatch`). */
  readonly onStatement?: (state: StatementState) => void;
}

export interface ContextSettings extends Omit<ConfigRequest, 'usesServices'> {
  readonly needs: Needs;
  readonly signal: AbortSignal;
  readonly isTerminal: boolean;
  /** Told what the user should know: what was started, what the config file should not have. */
  readonly notify: (text: string) => void;
}

/**
 * COMPOSITION ROOT: decides the settings, then makes adapters when they are first asked for. They are imported then,
 * too, so that a command that needs neither Kafka nor PostgreSQL loads neither.
 * Throws CONFIG_INVALID, USAGE, and CONFIG_HALF where a half that the command needs is not configured.
 */
export function createContext(settings: ContextSettings): Context {
  const { needs, notify } = settings;
  const config = loadConfig({ ...settings, usesServices: needs !== 'none' });
  if (needs !== 'database' && needs !== 'none' && config.log.engine === 'missing') throw missingHalf('log');
  if (needs !== 'log' && needs !== 'none' && config.database.engine === 'missing')
    throw missingHalf('database');
  for (const warning of config.warnings) notify(warning);
  return new LiveContext(config, settings);
}

class LiveContext implements Context {
  readonly config: Config;
  readonly signal: AbortSignal;
  readonly isTerminal: boolean;
  readonly newId: () => string;
  readonly now = (): number => Date.now();
  readonly engine: Engine = {
    start: () => this.startEngine(),
    stop: async () => (await embeddedServer()).stopEmbedded({ dataDir: this.config.dataDir }),
    status: async () => (await embeddedServer()).embeddedStatus({ dataDir: this.config.dataDir }),
  };
  private readonly notify: (text: string) => void;
  private readonly logs = new Map<string, Promise<EventLog>>();
  private opened: Promise<Database> | null = null;
  private readonly beside: Promise<Database>[] = [];
  private started: Promise<EmbeddedServer> | null = null;

  constructor(config: Config, { signal, isTerminal, notify }: ContextSettings) {
    this.config = config;
    this.signal = signal;
    this.isTerminal = isTerminal;
    this.notify = notify;
    this.newId = createUuidV7(this.now);
  }

  log(patience: Patience = 'short', topic = this.config.topic): Promise<EventLog> {
    const name = `${patience} ${topic}`;
    const log = this.logs.get(name) ?? this.openLog(patience, topic);
    this.logs.set(name, log);
    return log;
  }

  database(options: DatabaseOptions = {}): Promise<Database> {
    return (this.opened ??= this.openDatabase(options));
  }

  databaseBeside(options: DatabaseOptions): Promise<Database> {
    const opened = this.openDatabase(options);
    this.beside.push(opened);
    return opened;
  }

  async migrateLedger(): Promise<MigrateResult> {
    const { migrateLedger } = await import('../postgres/migrate.ts');
    return migrateLedger({ connectionString: await this.databaseUrl(), schema: this.config.schema });
  }

  async ledgerState(): Promise<SchemaState> {
    const { schemaState } = await import('../postgres/migrate.ts');
    const { pool, schema } = await this.database();
    return schemaState(pool, 'ledger', schema);
  }

  async explain(error: unknown): Promise<unknown> {
    if (error instanceof UserEventsError) return error;
    const { toUserEventsError } = await import('../postgres/errors.ts');
    const { database } = this.config;
    return toUserEventsError(error, database.engine === 'postgres' ? database.address : EMBEDDED_ADDRESS);
  }

  async close(): Promise<void> {
    const logs = [...this.logs.values()];
    const databases = [...this.beside.splice(0), ...(this.opened === null ? [] : [this.opened])];
    this.logs.clear();
    this.opened = null;
    // What never opened has nothing to close; its error was told by whoever asked for it.
    await Promise.allSettled([
      ...logs.map(async (log) => (await log).close()),
      ...databases.map(async (database) => (await database).pool.end()),
    ]);
  }

  private async openLog(patience: Patience, topic: string): Promise<EventLog> {
    const { log } = this.config;
    switch (log.engine) {
      case 'kafka': {
        const { createKafkaEventLog } = await import('../log/kafka/event-log.ts');
        const { brokers, clientId, sasl, tls, fastCodec } = log;
        const security = { ...(sasl === null ? {} : { sasl }), ...(tls === null ? {} : { tls }) };
        const { notify } = this;
        return createKafkaEventLog({ brokers, clientId, topic, patience, fastCodec, notify, ...security });
      }
      case 'postgres':
        return this.openPostgresLog(log.connectionString, patience, topic);
      case 'embedded':
        return this.openEmbeddedLog(patience, topic);
      case 'missing':
        throw missingHalf('log');
    }
  }

  private async openPostgresLog(
    connectionString: string,
    patience: Patience,
    topic: string,
  ): Promise<EventLog> {
    const { createPostgresEventLog } = await import('../log/postgres/event-log.ts');
    const { logSchema } = this.config;
    return createPostgresEventLog({ connectionString, topic, schema: logSchema, patience });
  }

  /** A new log gets the default topic at once: the first `publish` needs no `init`. */
  private async openEmbeddedLog(patience: Patience, topic: string): Promise<EventLog> {
    const { partitions } = this.config;
    const { connectionString, isNew } = await this.embeddedDatabase(EMBEDDED_LOG_DATABASE);
    const log = await this.openPostgresLog(connectionString, patience, topic);
    if (isNew && topic === DEFAULT_TOPIC) await log.createTopic(partitions);
    return log;
  }

  /**
   * Starts the embedded engine unless it runs, and makes the database unless it is there. `isNew` also where the
   * engine was started just now: a run that died between making the database and filling it is then made good.
   */
  private async embeddedDatabase(database: string): Promise<{ connectionString: string; isNew: boolean }> {
    const { createDatabase } = await embeddedServer();
    const engine = await this.startEngine();
    const made = await createDatabase(engine.connectionString, database);
    const url = new URL(engine.connectionString);
    url.pathname = `/${database}`;
    return { connectionString: url.href, isNew: engine.started || made === 'created' };
  }

  private startEngine(): Promise<EmbeddedServer> {
    this.started ??= embeddedServer().then(({ startEmbedded }) =>
      startEmbedded({ dataDir: this.config.dataDir, onProgress: this.notify }),
    );
    return this.started;
  }

  async databaseUrl(): Promise<string> {
    const { database } = this.config;
    switch (database.engine) {
      case 'postgres':
        return database.connectionString;
      case 'embedded':
        return (await this.embeddedDatabase(EMBEDDED_USERS_DATABASE)).connectionString;
      case 'missing':
        throw missingHalf('database');
    }
  }

  private async openDatabase(options: DatabaseOptions): Promise<Database> {
    const { maxConnections, onStatement, ...rest } = options;
    const { createPool, addressOf } = await import('../postgres/pool.ts');
    const connectionString = await this.databaseUrl();
    const pool = createPool({
      connectionString,
      ...rest,
      ...(maxConnections === undefined ? {} : { max: maxConnections }),
      ...(onStatement === undefined ? {} : { watch: { signal: this.signal, onState: onStatement } }),
    });
    return { pool, schema: this.config.schema, address: addressOf(connectionString) };
  }
}

/** Loaded where it is used: a command on Kafka and a database of its own has no need of it. */
function embeddedServer(): Promise<typeof embeddedModule> {
  return import('../postgres/embedded-server.ts');
}
