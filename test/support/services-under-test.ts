import { expect } from '@jest/globals';
import { runCli, type CliResult } from './cli.ts';
import { kafkaBrokers } from './describe-kafka.ts';
import { uniqueName } from './names.ts';
import { createTestDatabase, type TestDatabase } from './test-database.ts';

/** A service with a database and a consumer group of its own, driven by the built CLI as its operator would. */
export interface Service {
  readonly database: TestDatabase;
  readonly group: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs a command and checks its exit code (0 unless said). */
  run(
    args: readonly string[],
    options?: { readonly exit?: number; readonly input?: string },
  ): Promise<CliResult>;
  /** Consumes to the log's present end. */
  catchUp(exit?: number): Promise<CliResult>;
  /** The users' rows by id, without the columns that the database fills in by itself. */
  users(): Promise<Record<string, Record<string, unknown>>>;
}

export interface ServiceOptions {
  readonly topic: string;
  /** The run's Kafka, unless another is given. */
  readonly brokers?: string;
  /** The service's own users table; without it `init` makes the default one. */
  readonly table?: string;
  readonly initArgs?: readonly string[];
  /** More of its environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Sets up a service. The caller drops its database. */
export async function openService(options: ServiceOptions): Promise<Service> {
  const { topic, brokers = kafkaBrokers(), table, initArgs = [] } = options;
  const database = await createTestDatabase();
  const group = uniqueName('group');
  const where = { KAFKA_BROKERS: brokers, KAFKA_TOPIC: topic, KAFKA_GROUP_ID: group };
  const env = { ...where, DATABASE_URL: database.connectionString, ...options.env };
  const run: Service['run'] = async (args, { exit = 0, input } = {}) => {
    const result = await runCli(args, { env, timeoutMs: 60_000, ...(input === undefined ? {} : { input }) });
    expect({ args, ...result }).toMatchObject({ args, exitCode: exit });
    return result;
  };
  if (table !== undefined) await database.pool.query(table);
  await run(['init', ...initArgs]);
  return {
    database,
    group,
    env,
    run,
    catchUp: (exit = 0) => run(['consume', '--until-end'], { exit }),
    async users() {
      const { rows } = await database.pool.query<{ id: string; row: Record<string, unknown> }>(
        `select user_id::text as id, to_jsonb(u) - '{user_id,created_at,updated_at}'::text[] as row from public.users u order by 1`,
      );
      return Object.fromEntries(rows.map(({ id, row }) => [id, row]));
    },
  };
}
