import type { EventErrorCode } from '../errors/codes.ts';

/**
 * What an error of PostgreSQL means for the one who met it (DESIGN 4):
 * transient: the same again, after a pause, for as long as it takes · environment: stop, somebody must mend it ·
 * record: this event cannot be executed · timeout: cancelled (statement_timeout); record where the event stood alone
 * and it happens again · stale: a fact that was assumed has changed, read it again · fenced: another consumer has
 * taken over · bug: ours, stop.
 */
export type FailureClass = 'transient' | 'environment' | 'record' | 'timeout' | 'stale' | 'fenced' | 'bug';

/** What the server says of the place of an error, where it says it. */
export interface FailurePlace {
  readonly schema?: string | undefined;
  readonly table?: string | undefined;
  readonly constraint?: string | undefined;
}

/** What is ours in the database. */
export interface FailureScope {
  readonly ledgerSchema: string;
  readonly usersSchema: string;
  readonly usersTable: string;
  /** The unique constraints or indexes of the key column alone. */
  readonly usersKeyConstraints: readonly string[];
}

/**
 * The class of an error with an SQLSTATE. https://www.postgresql.org/docs/current/errcodes-appendix.html
 * Without one it is a bug, unless `isConnectionLoss` says otherwise.
 */
export function classify(
  sqlState: string | undefined,
  where: FailurePlace,
  ours: FailureScope,
): FailureClass {
  if (sqlState === undefined) return 'bug';
  const known = CLASS_OF_STATE.get(sqlState);
  if (known !== undefined) return known;
  if (sqlState === UNIQUE_VIOLATION && isFactOfOurs(where, ours)) return 'stale';
  const kind = CLASS_OF_STATE.get(sqlState.slice(0, 2)) ?? 'bug';
  return kind === 'record' && isInLedger(where, ours) ? 'bug' : kind;
}

/** SQLSTATEs, and below their classes: the first two characters, for every state not named itself. */
const CLASS_OF_STATE: ReadonlyMap<string, FailureClass> = new Map([
  // Ours: raised by `refuse` of the ledger's schema.
  ['UE001', 'fenced'],
  ['UE002', 'stale'],
  // Serialisation failure and deadlock: the transaction was aborted whole.
  ['40001', 'transient'],
  ['40P01', 'transient'],
  ['55P03', 'transient'],
  // A server that became a standby, or was made read-only, until the connection reaches the primary again.
  ['25006', 'transient'],
  // The server closed the connection for having been idle inside a transaction: this process was held up.
  ['25P03', 'transient'],
  ['57014', 'timeout'],
  ['57P01', 'transient'],
  ['57P02', 'transient'],
  ['57P03', 'transient'],
  ['57P04', 'transient'],
  ['57P05', 'transient'],
  // Two rows where one was expected: by a user's trigger, our statements never do.
  ['21000', 'record'],
  ['3D000', 'environment'],
  ['3F000', 'environment'],
  ['08', 'transient'],
  ['53', 'transient'],
  ['28', 'environment'],
  ['42', 'environment'],
  ['22', 'record'],
  ['23', 'record'],
  // Program limits: an index row too large, too deep an expression.
  ['54', 'record'],
  // The server's own trouble: a file that it cannot read or write, a configuration file, damaged data.
  ['58', 'environment'],
  ['F0', 'environment'],
  ['XX', 'environment'],
  // PL/pgSQL: `raise exception` in a user's trigger, and its kin.
  ['P0', 'record'],
]);

const UNIQUE_VIOLATION = '23505';
const LEDGER_FACTS: readonly string[] = ['ledger_event_id', 'ledger_offset'];

function isFactOfOurs({ schema, table, constraint }: FailurePlace, ours: FailureScope): boolean {
  if (constraint === undefined) return false;
  if (schema === ours.ledgerSchema && LEDGER_FACTS.includes(constraint)) return true;
  const isUsers = schema === ours.usersSchema && table === ours.usersTable;
  return isUsers && ours.usersKeyConstraints.includes(constraint);
}

/** The users table may lie in the ledger's schema: what it refuses is about the record all the same. */
function isInLedger({ schema, table }: FailurePlace, ours: FailureScope): boolean {
  return schema === ours.ledgerSchema && !(schema === ours.usersSchema && table === ours.usersTable);
}

/** Why the event failed, of an SQLSTATE that `classify` calls record or timeout, or that is a trigger's own. */
export function eventErrorCode(sqlState: string): EventErrorCode {
  if (sqlState === '57014') return 'STATEMENT_TIMEOUT';
  switch (sqlState.slice(0, 2)) {
    case '23':
      return 'DATABASE_CONSTRAINT';
    case '22':
    case '21':
    case '54':
      return 'DATABASE_VALUE';
    default:
      // P0 is PL/pgSQL's own; any other state is one that a trigger chose.
      return 'DATABASE_TRIGGER';
  }
}

const CONNECTION_LOSSES: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  // A unix socket whose server is down.
  'ENOENT',
  'ENOTCONN',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/** True where the `code` of an error without SQLSTATE is Node's for a connection that was lost or cannot be made. */
export function isConnectionLoss(code: string | undefined): boolean {
  return code !== undefined && CONNECTION_LOSSES.has(code);
}
