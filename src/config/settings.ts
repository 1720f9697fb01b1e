import { UserEventsError } from '../errors/user-events-error.ts';

interface SettingEntry {
  /** The environment variable. */
  readonly env: string;
  /** The flag's long name; a secret never has one. */
  readonly flag?: string;
  /** How a text (of a flag or variable) or a JSON value (of a profile) is read. */
  readonly form: 'text' | 'address' | 'list' | 'whole' | 'yes' | 'map';
  readonly choices?: readonly string[];
  /** Never printed. A profile may name the variable that holds it: `<name>Env`. */
  readonly isSecret?: true;
}

/**
 * Every setting, by the name that a profile of the config file gives it. ONE order for all of them: flag, then
 * environment, then profile, then the default (which config.ts names). An empty variable counts as not set.
 */
export const SETTINGS = {
  brokers: { env: 'KAFKA_BROKERS', flag: 'brokers', form: 'list' },
  clientId: { env: 'KAFKA_CLIENT_ID', form: 'text' },
  topic: { env: 'KAFKA_TOPIC', flag: 'topic', form: 'text' },
  group: { env: 'KAFKA_GROUP_ID', flag: 'group', form: 'text' },
  saslMechanism: {
    env: 'KAFKA_SASL_MECHANISM',
    form: 'text',
    choices: ['plain', 'scram-sha-256', 'scram-sha-512'],
  },
  saslUsername: { env: 'KAFKA_SASL_USERNAME', form: 'text' },
  saslPassword: { env: 'KAFKA_SASL_PASSWORD', form: 'text', isSecret: true },
  tlsEnabled: { env: 'KAFKA_TLS_ENABLED', form: 'yes' },
  tlsCaFile: { env: 'KAFKA_TLS_CA_FILE', form: 'text' },
  tlsCertFile: { env: 'KAFKA_TLS_CERT_FILE', form: 'text' },
  tlsKeyFile: { env: 'KAFKA_TLS_KEY_FILE', form: 'text' },
  tlsServerName: { env: 'KAFKA_TLS_SERVER_NAME', form: 'text' },
  tlsRejectUnauthorized: { env: 'KAFKA_TLS_REJECT_UNAUTHORIZED', form: 'yes' },
  fastCodec: { env: 'USER_EVENTS_FAST_CODEC', form: 'yes' },
  eventLogUrl: { env: 'EVENT_LOG_URL', form: 'text', isSecret: true },
  databaseUrl: { env: 'DATABASE_URL', form: 'text', isSecret: true },
  schema: { env: 'USER_EVENTS_SCHEMA', flag: 'schema', form: 'text' },
  logSchema: { env: 'USER_EVENTS_LOG_SCHEMA', form: 'text' },
  table: { env: 'USER_EVENTS_TABLE', flag: 'table', form: 'text' },
  keyColumn: { env: 'USER_EVENTS_KEY_COLUMN', flag: 'key-column', form: 'text' },
  extraColumn: { env: 'USER_EVENTS_EXTRA_COLUMN', flag: 'extra-column', form: 'text' },
  createdColumn: { env: 'USER_EVENTS_CREATED_COLUMN', flag: 'created-column', form: 'text' },
  updatedColumn: { env: 'USER_EVENTS_UPDATED_COLUMN', flag: 'updated-column', form: 'text' },
  rules: { env: 'USER_EVENTS_RULES', flag: 'rules', form: 'text', choices: ['strict', 'lenient'] },
  partitions: { env: 'USER_EVENTS_PARTITIONS', flag: 'partitions', form: 'whole' },
  dataDir: { env: 'USER_EVENTS_DATA_DIR', form: 'text' },
  source: { env: 'USER_EVENTS_SOURCE', form: 'text' },
  operator: { env: 'USER_EVENTS_OPERATOR', form: 'text' },
  onFailure: {
    env: 'USER_EVENTS_ON_FAILURE',
    flag: 'on-failure',
    form: 'text',
    choices: ['park', 'rollback', 'stop'],
  },
  batchSize: { env: 'USER_EVENTS_BATCH_SIZE', flag: 'batch-size', form: 'whole' },
  maxFailed: { env: 'USER_EVENTS_MAX_FAILED', flag: 'max-failed', form: 'whole' },
  metricsPort: { env: 'USER_EVENTS_METRICS_PORT', flag: 'metrics-port', form: 'address' },
  interval: { env: 'USER_EVENTS_INTERVAL', flag: 'interval', form: 'whole' },
  ignoreTypes: { env: 'USER_EVENTS_IGNORE_TYPES', form: 'list' },
  mapTypes: { env: 'USER_EVENTS_MAP_TYPES', form: 'map' },
  deadLetterTopic: { env: 'USER_EVENTS_DEAD_LETTER_TOPIC', flag: 'dead-letter-topic', form: 'text' },
  production: { env: 'USER_EVENTS_PRODUCTION', form: 'yes' },
} as const satisfies Record<string, SettingEntry>;

export type SettingName = keyof typeof SETTINGS;
export type Environment = Readonly<Record<string, string | undefined>>;

/** One profile of the config file, its keys already known to be settings. */
export interface Profile {
  readonly name: string;
  /** The file's path, for messages. */
  readonly file: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface SettingSources {
  /** A command's flags as parsed, by long name; others than settings are passed over. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Environment;
  readonly profile: Profile | null;
  /**
   * The profile stands before the environment: where one command reads several profiles, or the environment would
   * make them one.
   */
  readonly isProfileFirst: boolean;
}

/** Where a setting's value stands. */
export interface Origin {
  /** For messages: `--topic`, `KAFKA_TOPIC`, `topic of profile "a" in FILE`. */
  readonly text: string;
  readonly level: 'flag' | 'environment' | 'profile';
  /** 0 goes before 1, and 1 before 2. */
  readonly rank: number;
}

interface Found {
  readonly value: unknown;
  readonly origin: Origin;
}

/** Where a setting's value stands, without reading it: null where it has none but its default. */
export function originOf(name: SettingName, sources: SettingSources): Origin | null {
  return find(name, sources)?.origin ?? null;
}

/** The error of a value that cannot be used, by its origin. The value itself is never named: it may be a secret. */
export function invalidSetting(origin: Origin, why: string, hint?: string, cause?: unknown): UserEventsError {
  const code = origin.level === 'flag' ? 'USAGE' : 'CONFIG_INVALID';
  return new UserEventsError(code, `${origin.text} ${why}`, {
    ...(hint === undefined ? {} : { hint }),
    cause,
  });
}

/** A text setting. CONFIG_INVALID (or USAGE, for a flag) where it is no text or not one of its choices. */
export function readText(
  name: SettingName,
  sources: SettingSources,
  what: 'text' | 'or a number' = 'text',
): string | undefined {
  const found = find(name, sources);
  if (found === undefined) return undefined;
  if (what === 'or a number' && typeof found.value === 'number') return String(found.value);
  if (typeof found.value !== 'string' || found.value === '')
    throw invalidSetting(found.origin, 'must be a text');
  const entry: SettingEntry = SETTINGS[name];
  if (entry.choices === undefined) return found.value;
  const value = found.value.toLowerCase();
  if (!entry.choices.includes(value))
    throw invalidSetting(found.origin, `must be one of ${entry.choices.join(', ')}`);
  return value;
}

/** A comma-separated list, or an array in a profile. Blanks around entries are taken away, empty ones dropped. */
export function readList(name: SettingName, sources: SettingSources): readonly string[] | undefined {
  const found = find(name, sources);
  if (found === undefined) return undefined;
  const entries: unknown[] = typeof found.value === 'string' ? found.value.split(',') : toArray(found);
  return entries
    .map((entry) => {
      if (typeof entry !== 'string') throw invalidSetting(found.origin, 'must be a list of texts');
      return entry.trim();
    })
    .filter((entry) => entry !== '');
}

/** A whole number from `least` on. */
export function readWhole(name: SettingName, sources: SettingSources, least = 0): number | undefined {
  const found = find(name, sources);
  if (found === undefined) return undefined;
  const value = typeof found.value === 'string' ? Number(found.value) : found.value;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
    throw invalidSetting(found.origin, `must be a whole number from ${String(least)} on`);
  }
  return value;
}

/** Yes or no: `true`, `1`, `yes`, `on` or `false`, `0`, `no`, `off`. */
export function readYes(name: SettingName, sources: SettingSources): boolean | undefined {
  const found = find(name, sources);
  if (found === undefined) return undefined;
  if (typeof found.value === 'boolean') return found.value;
  const word = typeof found.value === 'string' ? found.value.toLowerCase() : '';
  if (['true', '1', 'yes', 'on'].includes(word)) return true;
  if (['false', '0', 'no', 'off'].includes(word)) return false;
  throw invalidSetting(found.origin, 'must be true or false');
}

/** Pairs of texts: `a=b,c=d`, or an object in a profile. */
export function readMap(name: SettingName, sources: SettingSources): ReadonlyMap<string, string> | undefined {
  const found = find(name, sources);
  if (found === undefined) return undefined;
  const pairs: (readonly unknown[])[] =
    typeof found.value === 'string'
      ? found.value.split(',').map((pair) => pair.split('=').map((part) => part.trim()))
      : toPairs(found);
  return new Map(
    pairs.map(([from, to, ...more]) => {
      if (typeof from !== 'string' || typeof to !== 'string' || more.length > 0) {
        throw invalidSetting(found.origin, 'must be pairs of texts (from=to)');
      }
      return [from, to] as const;
    }),
  );
}

function find(name: SettingName, sources: SettingSources): Found | undefined {
  const { env, isProfileFirst } = sources;
  const levels = [
    () => findInFlags(name, sources),
    () => findInEnvironment(SETTINGS[name].env, env, isProfileFirst ? 2 : 1),
    () => findInProfile(name, sources, isProfileFirst ? 1 : 2),
  ];
  if (isProfileFirst) levels.splice(1, 2, ...levels.slice(1).reverse());
  for (const look of levels) {
    const found = look();
    if (found !== undefined) return found;
  }
  return undefined;
}

function findInFlags(name: SettingName, { flags }: SettingSources): Found | undefined {
  const { flag }: SettingEntry = SETTINGS[name];
  const value = flag === undefined ? undefined : flags[flag];
  if (flag === undefined || value === undefined) return undefined;
  return { value, origin: { text: `--${flag}`, level: 'flag', rank: 0 } };
}

function findInEnvironment(variable: string, env: Environment, rank: number): Found | undefined {
  const value = env[variable];
  if (value === undefined || value === '') return undefined;
  return { value, origin: { text: variable, level: 'environment', rank } };
}

function findInProfile(name: SettingName, { profile, env }: SettingSources, rank: number): Found | undefined {
  if (profile === null) return undefined;
  const origin = (key: string): Origin => {
    return { text: `${key} of profile "${profile.name}" in ${profile.file}`, level: 'profile', rank };
  };
  const variable = profile.settings[`${name}Env`];
  if (typeof variable === 'string') {
    const value = findInEnvironment(variable, env, rank)?.value;
    if (value === undefined)
      throw invalidSetting(origin(`${name}Env`), `names ${variable}, which is not set`);
    return { value, origin: origin(`${name}Env`) };
  }
  const value = profile.settings[name];
  return value === undefined ? undefined : { value, origin: origin(name) };
}

function toArray(found: Found): unknown[] {
  if (Array.isArray(found.value)) return found.value;
  throw invalidSetting(found.origin, 'must be a list');
}

function toPairs(found: Found): (readonly unknown[])[] {
  if (typeof found.value === 'object' && found.value !== null && !Array.isArray(found.value)) {
    return Object.entries(found.value);
  }
  throw invalidSetting(found.origin, 'must be an object');
}
