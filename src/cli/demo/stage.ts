import type { Environment } from '../../config/settings.ts';
import { createContext } from '../context.ts';

/** The databases of the tour; made anew at every run. */
const LOG_DATABASE = 'demo_log';
const SERVICES = ['orders', 'billing'] as const;
export type Service = (typeof SERVICES)[number];

export interface Stage {
  /** The environment in which a service's commands run: its own database, the shared log. */
  readonly environments: Readonly<Record<Service, Environment>>;
}

/** Billing has a table of its own, with a rule that orders does not know. */
const BILLING_TABLE = `create table users (
  user_id text primary key,
  name text not null,
  email text constraint email_has_an_at check (email like '%@%'),
  city text
)`;
const ORDERS_TABLE = BILLING_TABLE.replace(` constraint email_has_an_at check (email like '%@%')`, '');

/** Settings that would lead the tour away from the embedded engine. */
const LED_BY = /^(?:KAFKA_|PG|DATABASE_URL|EVENT_LOG_URL|USER_EVENTS_(?!DATA_DIR))/;

/** Starts the embedded engine and makes the tour's databases anew: a log, and one for each service. */
export async function setStage(
  env: Environment,
  signal: AbortSignal,
  notify: (text: string) => void,
): Promise<Stage> {
  const own = Object.fromEntries(Object.entries(env).filter(([name]) => !LED_BY.test(name)));
  const base = { flags: {}, needs: 'database', signal, isTerminal: false, notify } as const;
  const context = createContext({ ...base, env: { ...own, USER_EVENTS_CONFIG: undefined } });
  try {
    const { pool } = await context.database();
    for (const name of [LOG_DATABASE, ...SERVICES.map(databaseOf)]) {
      await pool.query(`drop database if exists ${name} with (force)`);
      await pool.query(`create database ${name}`);
    }
    const url = await context.databaseUrl();
    const environments = {
      orders: serviceEnvironment(own, url, 'orders'),
      billing: serviceEnvironment(own, url, 'billing'),
    };
    for (const service of SERVICES) await makeTable(environments[service], service, base);
    return { environments };
  } finally {
    await context.close();
  }
}

function databaseOf(service: Service): string {
  return `demo_${service}`;
}

function serviceEnvironment(env: Environment, url: string, service: Service): Environment {
  const at = (database: string): string => {
    const address = new URL(url);
    address.pathname = `/${database}`;
    return address.href;
  };
  return {
    ...env,
    EVENT_LOG_URL: at(LOG_DATABASE),
    DATABASE_URL: at(databaseOf(service)),
    USER_EVENTS_SOURCE: `/${service}`,
  };
}

async function makeTable(
  env: Environment,
  service: Service,
  base: Omit<Parameters<typeof createContext>[0], 'env'>,
): Promise<void> {
  const context = createContext({ ...base, env });
  try {
    await (await context.database()).pool.query(service === 'billing' ? BILLING_TABLE : ORDERS_TABLE);
  } finally {
    await context.close();
  }
}
