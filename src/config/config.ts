import { UserEventsError } from '../errors/user-events-error.ts';
import { isDatabaseInEnvironment, parseDatabaseUrl } from './database-address.ts';
import type { Machine } from './machine.ts';
import { readListenAddress, type ListenAddress } from './listen-address.ts';
import { readKafka, type KafkaConfig } from './kafka-config.ts';
import {
  invalidSetting,
  originOf,
  readList,
  readMap,
  readText,
  readWhole,
  readYes,
  type Environment,
  type Origin,
  type SettingSources,
} from './settings.ts';

/** A PostgreSQL to connect to. */
export interface PostgresConfig {
  readonly engine: 'postgres';
  /** `postgres://…`; what it leaves open the driver takes from PG*. May hold a password: never print it. */
  readonly connectionString: string;
  /** `host:port/database`, for messages. */
  readonly address: string;
  /** The database's name. */
  readonly database: string;
}

/** The PostgreSQL that comes with us, in `dataDir`. */
export interface EmbeddedConfig {
  readonly engine: 'embedded';
}

/** This half is not configured, the other one is. Whoever needs it throws CONFIG_HALF. */
export interface MissingConfig {
  readonly engine: 'missing';
}

export type LogConfig = KafkaConfig | PostgresConfig | EmbeddedConfig | MissingConfig;
export type DatabaseConfig = PostgresConfig | EmbeddedConfig | MissingConfig;

/** All settings, decided. Made before anything connects. */
export interface Config {
  /** The profile's name; null where none is in use. */
  readonly profile: string | null;
  /** The profile says that this is production: what destroys is confirmed by typing its name. */
  readonly isProduction: boolean;
  readonly log: LogConfig;
  readonly database: DatabaseConfig;
  readonly topic: string;
  /** Consumer group; by default `<database>.<schema>`. */
  readonly group: string;
  /** Schema with the consumer group's ledger. */
  readonly schema: string;
  /** Schema with the log's tables, where the log is PostgreSQL. */
  readonly logSchema: string;
  /** What `init` was told of the service's own table; null where nothing was said. */
  readonly table: string | null;
  readonly keyColumn: string | null;
  readonly extraColumn: string | null;
  readonly createdColumn: string | null;
  readonly updatedColumn: string | null;
  readonly rules: 'strict' | 'lenient' | null;
  /** Partitions of a topic that is made. */
  readonly partitions: number;
  /** `ce_source` of what is published from here. */
  readonly source: string;
  /** Who rolls back, retries and skips. */
  readonly operator: string;
  readonly onFailure: 'park' | 'rollback' | 'stop';
  /** Events a batch at the most; null: the consumer's own choice. */
  readonly batchSize: number | null;
  /** Failed events in a row, of different users, at which a consumer stops; null: never. */
  readonly maxFailed: number | null;
  /** Topic that failed events are also written to; null: none. */
  readonly deadLetterTopic: string | null;
  /** Where `consume` serves its metrics; null: nowhere. */
  readonly metrics: ListenAddress | null;
  /** How often `consume` tells how far it is, in seconds; null: its own choice. */
  readonly intervalSeconds: number | null;
  /** `ce_type`s that are passed over. */
  readonly ignoreTypes: readonly string[];
  /** Foreign `ce_type` → ours (`user.created` …). */
  readonly mapTypes: ReadonlyMap<string, string>;
  /** Folder of the embedded engine. */
  readonly dataDir: string;
  /** To be told on stderr. */
  readonly warnings: readonly string[];
}

export const DEFAULT_TOPIC = 'user-events';
/** Of a topic that we make. */
const DEFAULT_PARTITIONS = 4;

/** NAMEDATALEN of PostgreSQL, less its terminator. */
const MAX_NAME_BYTES = 63;

const LIBPQ: Origin = { text: 'PG*', level: 'environment', rank: 1 };

/** Database names in the embedded engine: the log's, and the service's. */
export const EMBEDDED_LOG_DATABASE = 'event_log';
export const EMBEDDED_USERS_DATABASE = 'users';

/**
 * Decides every setting: flag over environment over profile over default (settings.ts). Nothing configured means the
 * embedded engine for both halves; one half alone leaves the other `missing`, never embedded. Throws CONFIG_INVALID,
 * or USAGE where a flag is at fault.
 */
export function resolveConfig(sources: SettingSources, machine: Machine): Config {
  const { log, database } = resolveHalves(sources);
  const schema = readSchema('schema', sources) ?? 'user_events';
  const databaseName = nameDatabase(database);
  const topic = readText('topic', sources) ?? DEFAULT_TOPIC;
  return {
    profile: sources.profile?.name ?? null,
    isProduction: readYes('production', sources) ?? false,
    log,
    database,
    topic,
    group: readText('group', sources) ?? `${databaseName ?? machine.hostname}.${schema}`,
    schema,
    logSchema: readSchema('logSchema', sources) ?? 'user_events_log',
    table: readText('table', sources) ?? null,
    keyColumn: readText('keyColumn', sources) ?? null,
    extraColumn: readText('extraColumn', sources) ?? null,
    createdColumn: readText('createdColumn', sources) ?? null,
    updatedColumn: readText('updatedColumn', sources) ?? null,
    rules: readRules(sources),
    partitions: readWhole('partitions', sources, 1) ?? DEFAULT_PARTITIONS,
    source:
      readText('source', sources) ?? `/user-events/${encodeURIComponent(databaseName ?? machine.hostname)}`,
    operator: readText('operator', sources) ?? `${machine.username}@${machine.hostname}`,
    onFailure: readOnFailure(sources),
    batchSize: readWhole('batchSize', sources, 1) ?? null,
    maxFailed: readWhole('maxFailed', sources, 1) ?? null,
    deadLetterTopic: readDeadLetterTopic(sources, topic),
    metrics: readListenAddress('metricsPort', sources) ?? null,
    intervalSeconds: readWhole('interval', sources, 1) ?? null,
    ignoreTypes: readList('ignoreTypes', sources) ?? [],
    mapTypes: readMap('mapTypes', sources) ?? new Map(),
    dataDir: readText('dataDir', sources) ?? machine.dataDir,
    warnings: overriddenByEnvironment(sources),
  };
}

/** The error of a half that is not configured beside one that is. */
export function missingHalf(half: 'log' | 'database'): UserEventsError {
  return half === 'log'
    ? new UserEventsError('CONFIG_HALF', 'The database is configured, the event log is not', {
        hint: 'Set KAFKA_BROKERS or EVENT_LOG_URL as well, or unset DATABASE_URL and PG* for the embedded engine.',
      })
    : new UserEventsError('CONFIG_HALF', 'The event log is configured, the database is not', {
        hint: 'Set DATABASE_URL (or PG*) as well, or unset KAFKA_BROKERS and EVENT_LOG_URL for the embedded engine.',
      });
}

function resolveHalves(sources: SettingSources): Pick<Config, 'log' | 'database'> {
  const log = resolveLog(sources);
  const database = resolveDatabase(sources);
  if (log === null && database === null)
    return { log: { engine: 'embedded' }, database: { engine: 'embedded' } };
  return { log: log ?? { engine: 'missing' }, database: database ?? { engine: 'missing' } };
}

/** Of two logs the one of the higher level is meant; two of one level cannot be. */
function resolveLog(sources: SettingSources): LogConfig | null {
  const url = originOf('eventLogUrl', sources);
  const brokers = originOf('brokers', sources);
  if (url === null || (brokers !== null && brokers.rank < url.rank)) return readKafka(sources);
  if (brokers !== null && brokers.rank === url.rank) {
    throw new UserEventsError(
      'CONFIG_INVALID',
      `Two event logs are configured: ${brokers.text} and ${url.text}`,
      {
        hint: 'Keep one of them.',
      },
    );
  }
  return postgres(readText('eventLogUrl', sources) ?? '', url, sources.env);
}

/** PG* come last: they are what a URL leaves open (libpq's own order), so a URL of any origin goes before them. */
function resolveDatabase(sources: SettingSources): DatabaseConfig | null {
  const origin = originOf('databaseUrl', sources);
  if (origin !== null) return postgres(readText('databaseUrl', sources) ?? '', origin, sources.env);
  return isDatabaseInEnvironment(sources.env) ? postgres('postgres://', LIBPQ, sources.env) : null;
}

function postgres(url: string, origin: Origin, env: Environment): PostgresConfig {
  const { text, database } = parseDatabaseUrl(url, origin, env);
  return { engine: 'postgres', connectionString: url, address: text, database };
}

/** The service's database by name, before anything connects; null where there is none. */
function nameDatabase(database: DatabaseConfig): string | null {
  switch (database.engine) {
    case 'postgres':
      return database.database;
    case 'embedded':
      return EMBEDDED_USERS_DATABASE;
    case 'missing':
      return null;
  }
}

/** PostgreSQL cuts a longer name, with no more than a notice: the schema made would not be the one looked for. */
function readSchema(name: 'schema' | 'logSchema', sources: SettingSources): string | undefined {
  const schema = readText(name, sources);
  const origin = originOf(name, sources);
  if (schema !== undefined && origin !== null && Buffer.byteLength(schema) > MAX_NAME_BYTES) {
    throw invalidSetting(origin, `must be ${String(MAX_NAME_BYTES)} bytes long at the most`);
  }
  return schema;
}

function readRules(sources: SettingSources): Config['rules'] {
  const rules = readText('rules', sources);
  return rules === 'strict' || rules === 'lenient' ? rules : null;
}

function readOnFailure(sources: SettingSources): Config['onFailure'] {
  const onFailure = readText('onFailure', sources);
  return onFailure === 'rollback' || onFailure === 'stop' ? onFailure : 'park';
}

/** What failed would be read again, fail again, and never end. */
function readDeadLetterTopic(sources: SettingSources, topic: string): string | null {
  const deadLetterTopic = readText('deadLetterTopic', sources) ?? null;
  const origin = originOf('deadLetterTopic', sources);
  if (origin !== null && deadLetterTopic === topic)
    throw invalidSetting(origin, `must not be ${topic}, the topic that is consumed`);
  return deadLetterTopic;
}

/** A profile that was chosen by name, and whose connection the environment overrides: said, since it surprises. */
function overriddenByEnvironment(sources: SettingSources): readonly string[] {
  const { profile } = sources;
  if (profile === null || sources.isProfileFirst) return [];
  return (['brokers', 'eventLogUrl', 'databaseUrl'] as const).flatMap((name) => {
    const origin = originOf(name, sources);
    const isSetThere = profile.settings[name] !== undefined || profile.settings[`${name}Env`] !== undefined;
    if (!isSetThere || origin?.level !== 'environment') return [];
    return [`${origin.text} is set and goes before the ${name} of profile "${profile.name}".`];
  });
}
