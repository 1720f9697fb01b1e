import { invalidSetting, type Environment, type Origin } from './settings.ts';

/** Where a PostgreSQL is, as far as its URL and libpq's variables say it; no secret in it. */
export interface DatabaseAddress {
  readonly host: string;
  readonly database: string;
  /** `host:port/database`, for messages. */
  readonly text: string;
}

/** Variables that choose a server or a database: one of them set counts as a database configured. */
const CHOOSING_VARIABLES = ['PGHOST', 'PGHOSTADDR', 'PGDATABASE', 'PGUSER', 'PGPORT'] as const;

export function isDatabaseInEnvironment(env: Environment): boolean {
  return CHOOSING_VARIABLES.some((variable) => (env[variable] ?? '') !== '');
}

/**
 * Reads a `postgres://` URL; what it leaves open is taken from PG* and then from libpq's defaults, as the driver does.
 * `origin` says where it stands: CONFIG_INVALID names that and never the URL, which may hold a password.
 */
export function parseDatabaseUrl(url: string, origin: Origin, env: Environment): DatabaseAddress {
  const parsed = parse(url, origin);
  const host =
    parsed.searchParams.get('host') || decode(parsed.hostname, origin) || env['PGHOST'] || 'localhost';
  const port = parsed.searchParams.get('port') || parsed.port || env['PGPORT'] || '5432';
  const user = decode(parsed.username, origin) || env['PGUSER'] || env['USER'] || '';
  const database = decode(parsed.pathname.replace(/^\//, ''), origin) || env['PGDATABASE'] || user;
  return { host, database, text: `${host}:${port}/${database}` };
}

function parse(url: string, origin: Origin): URL {
  // The driver takes `postgres://` alone, and `postgres:///db`, for "all the rest from PG*"; URL wants a host.
  const match = /^postgres(?:ql)?:\/\/(.*)$/s.exec(url);
  const rest = match?.[1];
  if (rest !== undefined && URL.canParse(`postgres://${rest}`)) return new URL(`postgres://${rest}`);
  const shape = 'postgres://USER:PASSWORD@HOST:PORT/DATABASE';
  throw invalidSetting(
    origin,
    'is no PostgreSQL URL',
    `Write ${shape}, with special characters percent-encoded.`,
  );
}

function decode(part: string, origin: Origin): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // The cause would quote the part, which may be a password.
    throw invalidSetting(
      origin,
      'has a percent sign that encodes nothing',
      'Write a percent sign itself as %25.',
    );
  }
}
