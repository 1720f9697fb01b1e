import pg from 'pg';
import { keepAddress } from './known-address.ts';
import { watchConnection, type StatementWatch } from './statement-watch.ts';

export type Pool = pg.Pool;
export type PoolClient = pg.PoolClient;
/** Whatever runs one statement: a pool, or the client of a transaction. */
export type Queryable = Pick<pg.Pool, 'query'>;

/** A service's database, as use cases see it. */
export interface Database {
  readonly pool: Pool;
  /** The schema with this consumer group's ledger. */
  readonly schema: string;
  /** `host:port/database`, without secrets, for messages. */
  readonly address: string;
}

export interface PoolSettings {
  /** `postgres://…`; without it libpq's PG* variables are read by the driver. */
  readonly connectionString?: string;
  /** Connections at the most. */
  readonly max?: number;
  /** How long one connect may take before it fails, ms. Short commands answer within 2 s (DESIGN 7). */
  readonly connectTimeoutMs?: number;
  readonly applicationName?: string;
  /** Session settings (`set name = value`), sent with the start-up packet. */
  readonly settings?: Readonly<Record<string, string>>;
  /** After this long without an answer a statement fails, and its connection is closed; without it it is waited for, ms. */
  readonly answerWithinMs?: number;
  /** Told of statements without an answer, which are cut off where the server is gone. Without it they are waited for. */
  readonly watch?: StatementWatch;
}

/** An idle connection is probed after so long, so that a host that vanished is noticed before its next use, ms. */
const KEEP_ALIVE_AFTER_MS = 10_000;

// int8 as bigint: offsets pass 2^53 in principle, and a silent rounding would be a lost event.
const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, (text) => BigInt(text));

/** Makes a pool. Connects on first use; an idle connection's loss is not an error (the next use connects anew). */
export function createPool(settings: PoolSettings): Pool {
  const options = Object.entries(settings.settings ?? {})
    .map(([name, value]) => `-c ${name}=${value.replace(/[\\ ]/g, '\\$&')}`)
    .join(' ');
  const { watch } = settings;
  const address =
    settings.connectionString === undefined ? {} : { connectionString: settings.connectionString };
  const onConnect = {
    onConnect: (client: pg.ClientBase): unknown => watch && watchConnection(client, address, watch),
  };
  const pool = new pg.Pool({
    ...address,
    ...(watch === undefined ? {} : onConnect),
    max: settings.max ?? 4,
    connectionTimeoutMillis: settings.connectTimeoutMs ?? 1500,
    application_name: settings.applicationName ?? 'user-events',
    types,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    ...(options === '' ? {} : { options }),
    ...(settings.answerWithinMs === undefined ? {} : { query_timeout: settings.answerWithinMs }),
  });
  const addressOfPool = (): string => addressOf(settings.connectionString);
  keepAddress(pool, addressOfPool);
  pool.on('connect', (client) => {
    keepAddress(client, addressOfPool);
  });
  pool.on('error', () => undefined);
  keepConnections(pool);
  return pool;
}

/**
 * pg-pool closes the connection of every query that fails, also where the server only refused the statement: a batch
 * with refused events would connect and prepare everything anew for each attempt. Ours closes it where it is broken.
 */
function keepConnections(pool: Pool): void {
  const query = async (...request: unknown[]): Promise<unknown> => {
    const client = await pool.connect();
    let broken: Error | undefined;
    const onError = (error: Error): void => {
      broken = error;
    };
    client.on('error', onError);
    try {
      // eslint-disable-next-line @typescript-eslint/unbound-method -- applied to its own client, with whatever overload was meant
      const answer: unknown = await Reflect.apply(client.query, client, request);
      return answer;
    } catch (error) {
      const isRefusal = error instanceof pg.DatabaseError && error.severity === 'ERROR';
      if (!isRefusal) broken ??= error instanceof Error ? error : new Error(String(error), { cause: error });
      throw error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  };
  Object.defineProperty(pool, 'query', { value: query });
}

/**
 * `host:port/database` as the driver reads a connection string (libpq's PG* variables without one): for messages, no
 * secret. Connects to nothing. Throws what the driver throws where the string is no URL.
 */
export function addressOf(connectionString?: string): string {
  const { host, port, database } = new pg.Client(connectionString === undefined ? {} : { connectionString });
  const place = host.includes(':') ? `[${host}]` : host;
  return `${place}:${String(port)}/${database ?? ''}`;
}
