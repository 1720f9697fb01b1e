import { ERROR_CODES } from '../errors/codes.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import type { EventLog } from '../log/event-log.ts';
import type { Database } from '../postgres/pool.ts';
import { findUsersTable } from '../postgres/sql/find-users-table.ts';
import { readBinding, type Binding } from '../postgres/sql/read-binding.ts';
import { encodingError, missingRights, readServer } from '../postgres/sql/read-server.ts';

/** `info` decides nothing; `warn` is worth a look; `fail` keeps something from working. */
export type CheckState = 'ok' | 'info' | 'warn' | 'fail';

export interface Check {
  readonly name: string;
  readonly state: CheckState;
  readonly detail: string;
  /** What to do; absent where nothing is. */
  readonly mend?: string;
  /** The error's code, for `fail`. */
  readonly code?: string;
  /** What a failure of this check stands for: 3 configuration, 4 out of reach. */
  readonly exit?: 3 | 4;
}

export interface DoctorResult {
  /** False where one failed. */
  readonly healthy: boolean;
  readonly checks: readonly Check[];
}

/** What is looked at. Each may throw: the error is the check's finding. */
export interface DoctorDependencies {
  readonly nodeVersion: string;
  readonly topic: string;
  readonly openLog: () => Promise<EventLog>;
  readonly openDatabase: () => Promise<Database>;
  readonly ledgerState: () => Promise<string>;
  /** The embedded engine, where a half of the system is in it; null where none is. */
  readonly engineStatus: (() => Promise<{ readonly state: string; readonly dataDir: string }>) | null;
  /** First line of a program's version, or null where it is not there. */
  readonly findProgram: (name: 'java' | 'mvn') => Promise<string | null>;
  /** Translates what a driver threw. */
  readonly explain: (error: unknown) => Promise<unknown>;
}

/** What package.json's `engines` asks for. */
const LEAST_NODE = [20, 17] as const;
const LEAST_POSTGRES = 130_000;
const ENGINE = 'embedded engine';

/** Checks everything that the tool depends on, and says the mend of what is not as it should be. Starts nothing. */
export async function examine(dependencies: DoctorDependencies): Promise<DoctorResult> {
  const node = checkNode(dependencies.nodeVersion);
  const engine = await checkEngine(dependencies);
  // An engine that does not run would be started by asking it: that is not an examination's to do.
  const isAsleep = engine !== null && engine.state !== 'ok';
  const services = isAsleep
    ? []
    : (await Promise.all([checkLog(dependencies), checkDatabase(dependencies)])).flat();
  const programs = await Promise.all([checkProgram(dependencies, 'java'), checkProgram(dependencies, 'mvn')]);
  const checks = [node, ...(engine === null ? [] : [engine]), ...services, ...programs];
  return { healthy: checks.every(({ state }) => state !== 'fail'), checks };
}

/** The finding that an error is. Whatever is no error of the closed list is a bug, and thrown on. */
export function failedCheck(name: string, error: unknown): Check {
  if (!(error instanceof UserEventsError)) throw error;
  const { code, message, hint } = error;
  return {
    name,
    state: 'fail',
    detail: message,
    mend: hint,
    code,
    exit: ERROR_CODES[code].exit === 4 ? 4 : 3,
  };
}

function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const [leastMajor, leastMinor] = LEAST_NODE;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) {
    return { name: 'Node.js', state: 'ok', detail: version };
  }
  const mend = `Install Node.js ${String(leastMajor)}.${String(leastMinor)} or newer.`;
  return { name: 'Node.js', state: 'fail', detail: version, mend, exit: 3 };
}

async function checkEngine({ engineStatus }: DoctorDependencies): Promise<Check | null> {
  if (engineStatus === null) return null;
  const { state, dataDir } = await engineStatus();
  if (state === 'running') return { name: ENGINE, state: 'ok', detail: `runs in ${dataDir}` };
  const mend = 'It starts at first use, or by `user-events up`; doctor looks into it when it runs.';
  return { name: ENGINE, state: 'warn', detail: `${state}, in ${dataDir}`, mend };
}

async function checkLog({ openLog, explain }: DoctorDependencies): Promise<readonly Check[]> {
  try {
    const log = await openLog();
    const { topic, partitionCount } = await log.describe();
    const marks = await log.watermarks();
    const records = marks.reduce((sum, { low, high }) => sum + high - low, 0n);
    return [
      { name: 'event log', state: 'ok', detail: `${log.engine} at ${log.address}` },
      {
        name: 'topic',
        state: 'ok',
        detail: `${topic}, ${String(partitionCount)} partitions, ${records} offsets`,
      },
    ];
  } catch (error) {
    const known = await explain(error);
    const isTopic = known instanceof UserEventsError && known.code === 'TOPIC_NOT_FOUND';
    return [failedCheck(isTopic ? 'topic' : 'event log', known)];
  }
}

async function checkDatabase(dependencies: DoctorDependencies): Promise<readonly Check[]> {
  const checks: Check[] = [];
  let name = 'database';
  try {
    const database = await dependencies.openDatabase();
    checks.push(await checkServer(database));
    name = 'ledger';
    checks.push(checkSchema(await dependencies.ledgerState(), database.schema));
    const binding = await readBinding(database.pool, database.schema);
    checks.push(checkBinding(binding, dependencies.topic));
    name = 'users table';
    checks.push(...(await checkTable(database, binding)));
  } catch (error) {
    checks.push(failedCheck(name, await dependencies.explain(error)));
  }
  return checks;
}

async function checkServer({ pool, address }: Database): Promise<Check> {
  const server = await readServer(pool);
  const detail = `PostgreSQL ${server?.version ?? ''} at ${address} as ${server?.role ?? ''}`;
  const failed = { name: 'database', state: 'fail', detail, exit: 3 } as const;
  if ((server?.versionNumber ?? 0) < LEAST_POSTGRES)
    return { ...failed, mend: 'Use PostgreSQL 13 or newer.' };
  if (server?.isReadOnly === true) {
    return { ...failed, detail: `${detail}, read-only`, mend: 'Connect to the primary, not to a standby.' };
  }
  if (server !== null && server.encoding !== 'UTF8')
    return failedCheck('database', encodingError(address, server.encoding));
  return { name: 'database', state: 'ok', detail };
}

function checkSchema(state: string, schema: string): Check {
  if (state === 'current') return { name: 'ledger', state: 'ok', detail: `schema ${schema}` };
  if (state === 'newer') {
    const error = new UserEventsError(
      'SCHEMA_NEWER',
      `The schema ${schema} is of a newer version of user-events`,
    );
    return failedCheck('ledger', error);
  }
  const message =
    state === 'absent' ? `There is no schema ${schema}` : `The schema ${schema} lacks migrations`;
  throw new UserEventsError('NOT_INITIALISED', message);
}

function checkBinding({ rules, consumerGroup, topic }: Binding, configured: string): Check {
  if (topic !== null && topic !== configured) {
    const error = new UserEventsError(
      'BINDING_MISMATCH',
      `This ledger is of the topic ${topic}, not ${configured}`,
    );
    return failedCheck('binding', error);
  }
  const group = consumerGroup === null ? 'not consumed from yet' : `group ${consumerGroup}`;
  return { name: 'binding', state: 'ok', detail: `${rules} rules, ${group}` };
}

async function checkTable({ pool, schema }: Database, binding: Binding): Promise<readonly Check[]> {
  const table = await findUsersTable(pool, binding);
  const columns = table.columns.map(({ name }) => name).join(', ') || 'none';
  const detail = `${table.schema}.${table.name}, key ${table.keyColumn} (${table.keyType}); events carry ${columns}`;
  const missing = await missingRights(pool, schema, table);
  const rights: Check =
    missing.length === 0
      ? { name: 'rights', state: 'ok', detail: 'on the ledger and the users table' }
      : {
          name: 'rights',
          state: 'fail',
          detail: `missing: ${missing.join(', ')}`,
          mend: 'Grant them to the role that consumes.',
          code: 'DATABASE_REFUSED',
          exit: 3,
        };
  return [{ name: 'users table', state: 'ok', detail }, rights];
}

async function checkProgram({ findProgram }: DoctorDependencies, program: 'java' | 'mvn'): Promise<Check> {
  const name = program === 'java' ? 'Java' : 'Maven';
  const version = await findProgram(program);
  const detail = version ?? 'not found: only a Kafka broker of your own, for development, needs it';
  return { name, state: 'info', detail };
}
