import { types } from 'node:util';
import type { DatabaseError } from 'pg';
import type { ErrorCode } from '../errors/codes.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import { inChain } from './error-chain.ts';

/** What is known of a failed statement or connect. The server's words may hold a user's data: they are for the ledger. */
export interface SqlErrorFacts {
  /** Five characters (PostgreSQL documentation, appendix A); undefined where the server said nothing. */
  readonly sqlState: string | undefined;
  /** The server ended the session, or did not begin one. */
  readonly isFatal: boolean;
  readonly message: string;
  readonly detail: string | undefined;
  readonly schema: string | undefined;
  readonly table: string | undefined;
  readonly column: string | undefined;
  readonly constraint: string | undefined;
  readonly dataType: string | undefined;
  /** Node's code of a socket or TLS error (`ECONNRESET`). */
  readonly nodeCode: string | undefined;
  /** The connection was lost or never made. */
  readonly isConnectionLoss: boolean;
  /** There was no connection to send the statement on: it cannot have had an effect. */
  readonly isBeforeSend: boolean;
}

/** Reads an error of the driver, or one that has it as a cause, field by field. */
export function describeSqlError(error: unknown): SqlErrorFacts {
  const server = inChain(error, isServerError);
  if (server !== null && isServerError(server)) {
    const { code, severity, message, detail, schema, table, column, constraint, dataType } = server;
    const none = { nodeCode: undefined, isConnectionLoss: false, isBeforeSend: false };
    const isFatal = severity === 'FATAL' || severity === 'PANIC';
    return { sqlState: code, isFatal, message, detail, schema, table, column, constraint, dataType, ...none };
  }
  const socket = inChain(error, isSocketError);
  const driver = inChain(error, (link) => DRIVER_LOSSES.has(link.message));
  const isUnsent =
    inChain(error, (link) => hasConnectSyscall(link) || DRIVER_UNSENT.has(link.message)) !== null;
  return {
    sqlState: undefined,
    isFatal: false,
    message: types.isNativeError(error) ? error.message : String(error),
    detail: undefined,
    schema: undefined,
    table: undefined,
    column: undefined,
    constraint: undefined,
    dataType: undefined,
    nodeCode: socket === null ? undefined : nodeErrorCode(socket),
    isConnectionLoss: socket !== null || driver !== null,
    isBeforeSend: isUnsent,
  };
}

/** What the server itself answered, by its fields: for the driver's class everyone who reads errors would load the driver. */
function isServerError(link: Error): link is DatabaseError & { code: string } {
  return 'severity' in link && typeof link.severity === 'string' && nodeErrorCode(link) !== undefined;
}

/** Socket errors of Node: PostgreSQL could not be reached, or the connection was lost. */
const NETWORK_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'EPIPE',
  'ERR_STREAM_DESTROYED',
]);

/** Codes of Node's TLS layer that say: this server's certificate is not trusted. */
const CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/**
 * pg 8.23 and pg-pool 3 give these errors no code, so their fixed texts stand in for one: pg/lib/client.js (connect,
 * end, query) and pg-pool/index.js (connect, newClient). Those of the first list come before anything was sent.
 */
const DRIVER_UNSENT: ReadonlySet<string> = new Set([
  'timeout exceeded when trying to connect',
  'timeout expired',
  'Connection terminated due to connection timeout',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
]);
const DRIVER_LOSSES: ReadonlySet<string> = new Set([
  ...DRIVER_UNSENT,
  'Connection terminated unexpectedly',
  'Connection terminated',
]);

/** The same for refusals: pg/lib/connection.js (TLS) and pg/lib/crypto/sasl.js (a password is asked for, none is set). */
const DRIVER_REFUSALS: ReadonlyMap<string, string> = new Map([
  ['The server does not support SSL connections', 'it does not offer TLS'],
  [
    'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string',
    'it asks for a password and none is set',
  ],
  ['SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a non-empty string', 'the password is empty'],
]);

type StateOfError = Pick<SqlErrorFacts, 'sqlState' | 'isFatal'>;

/** SQLSTATEs by which a server says that it is not to be had just now: connection, resources, shut-down, standby. */
function isUnavailable({ sqlState, isFatal }: StateOfError): boolean {
  if (isClosedDatabase({ sqlState, isFatal })) return true;
  return sqlState !== undefined && /^(?:08...|53...|57P0[1-5]|25006)$/.test(sqlState);
}

/**
 * True where the database takes no sessions for now (`allow_connections false`, as during maintenance): 55000 in answer
 * to a connect. The same state in answer to a statement is a function's or a trigger's complaint.
 */
export function isClosedDatabase({ sqlState, isFatal }: StateOfError): boolean {
  return isFatal && sqlState === '55000';
}

const DISK_FULL = '53100';

/** Class 53, insufficient resources: the server answers, but has no disk, memory or connections left. */
export function isOutOfResources(sqlState: string | undefined): boolean {
  return sqlState?.startsWith('53') ?? false;
}

/** What to do where the hint of the code would mislead; null where it does not. */
function hintOf(sqlState: string | undefined): string | null {
  if (!isOutOfResources(sqlState)) return null;
  return sqlState === DISK_FULL
    ? 'Free space where PostgreSQL keeps its data, then run it again.'
    : 'Give PostgreSQL more of what it names, or wait until it is free, then run it again.';
}

/** True where PostgreSQL could not be reached, the connection was lost, or the server is not to be had just now. */
export function isUnreachable(error: unknown): boolean {
  const facts = describeSqlError(error);
  return facts.sqlState === undefined ? facts.isConnectionLoss : isUnavailable(facts);
}

/** Whether the server aborted it for another transaction's sake: a serialization failure, a deadlock. It is there, and answers. */
export function isConflict(error: unknown): boolean {
  return /^(?:40001|40P01)$/.test(describeSqlError(error).sqlState ?? '');
}

/** Whether the same may succeed later: nobody answers, the server restarts, a deadlock, a serialization failure. */
export function isTransient(error: unknown): boolean {
  return isUnreachable(error) || /^(?:40001|40P01|55P03)$/.test(describeSqlError(error).sqlState ?? '');
}

/**
 * Translates what the driver threw into an error of the closed list and keeps it as `cause`: DATABASE_UNREACHABLE,
 * DATABASE_REFUSED, or NOT_INITIALISED where a schema or table is absent. Whatever is neither is given back as it is:
 * a UserEventsError was translated before, anything else is a bug. `address` is `host:port/database`, without secrets.
 * The server's own words are in the message only where they are about roles, databases, schemas, rights or resources.
 */
export function toUserEventsError(error: unknown, address: string): Error {
  if (error instanceof UserEventsError) return error;
  const facts = describeSqlError(error);
  const code = databaseCode(error, facts);
  if (code === null) return types.isNativeError(error) ? error : new Error(String(error), { cause: error });
  const hint = hintOf(facts.sqlState);
  return new UserEventsError(code, messageOf(code, error, facts, address), {
    cause: error,
    ...(hint === null ? {} : { hint }),
    facts: { address, ...(facts.sqlState === undefined ? {} : { sqlState: facts.sqlState }) },
  });
}

type DatabaseCode = Extract<ErrorCode, 'DATABASE_UNREACHABLE' | 'DATABASE_REFUSED' | 'NOT_INITIALISED'>;

function databaseCode(error: unknown, facts: SqlErrorFacts): DatabaseCode | null {
  const { sqlState, isConnectionLoss } = facts;
  if (sqlState === undefined) {
    if (refusalOf(error) !== null) return 'DATABASE_REFUSED';
    return isConnectionLoss ? 'DATABASE_UNREACHABLE' : null;
  }
  if (isUnavailable(facts)) return 'DATABASE_UNREACHABLE';
  // undefined_table and invalid_schema_name: `init` was not run here.
  if (sqlState === '42P01' || sqlState === '3F000') return 'NOT_INITIALISED';
  return /^(?:28...|3D000|42...|58...|F0...|XX...)$/.test(sqlState) ? 'DATABASE_REFUSED' : null;
}

function messageOf(code: DatabaseCode, error: unknown, facts: SqlErrorFacts, address: string): string {
  const server = `PostgreSQL at ${address}`;
  const said = facts.sqlState === undefined ? null : `${facts.message} (SQLSTATE ${facts.sqlState})`;
  switch (code) {
    case 'NOT_INITIALISED':
      return `${address} has no ledger: ${said ?? facts.message}`;
    case 'DATABASE_REFUSED':
      return `${server} refused: ${said ?? refusalOf(error) ?? facts.message}`;
    case 'DATABASE_UNREACHABLE':
      if (isOutOfResources(facts.sqlState)) {
        const what = facts.sqlState === DISK_FULL ? 'space' : 'resources';
        return `${server} has no ${what} left: ${said ?? facts.message}`;
      }
      // The code of the socket error, or the driver's fixed text: neither holds a secret.
      return `${server} cannot be reached: ${said ?? facts.nodeCode ?? driverLossOf(error)}`;
  }
}

function driverLossOf(error: unknown): string {
  return inChain(error, (link) => DRIVER_LOSSES.has(link.message))?.message ?? 'the connection was lost';
}

function refusalOf(error: unknown): string | null {
  const link = inChain(
    error,
    (each) => CERTIFICATE_CODES.has(nodeErrorCode(each) ?? '') || DRIVER_REFUSALS.has(each.message),
  );
  if (link === null) return null;
  return (
    DRIVER_REFUSALS.get(link.message) ?? `its TLS certificate is not trusted (${nodeErrorCode(link) ?? ''})`
  );
}

/** The code that Node and the driver put on an error (`ENOENT`, an SQLSTATE); undefined where there is none. */
export function nodeErrorCode(error: unknown): string | undefined {
  const isObject = typeof error === 'object' && error !== null;
  return isObject && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Any failed connect counts: of a Unix socket it is ENOENT or EACCES, which mean something else elsewhere. */
function isSocketError(error: Error): boolean {
  return (
    nodeErrorCode(error) !== undefined &&
    (NETWORK_CODES.has(nodeErrorCode(error) ?? '') || hasConnectSyscall(error))
  );
}

function hasConnectSyscall(error: Error): boolean {
  return 'syscall' in error && (error.syscall === 'connect' || error.syscall === 'getaddrinfo');
}
