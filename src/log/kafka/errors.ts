import type { ErrorCode } from '../../errors/codes.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';

/** Where an operation was going, for messages. */
export interface Destination {
  /** The brokers as configured. */
  readonly address: string;
  readonly topic: string;
}

/** What kafkajs's errors carry; its own typings leave out some of it. */
interface KafkaFault {
  readonly name: string;
  readonly message: string;
  /** The protocol's error name, as `org.apache.kafka.common.protocol.Errors` has it (older names among them). */
  readonly type: string | undefined;
  /** Node's code of a connection that failed (`ECONNREFUSED`). */
  readonly code: string | undefined;
  readonly isRetriable: boolean;
}

const CODE_OF_TYPE: Readonly<Record<string, ErrorCode>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'TOPIC_NOT_FOUND',
  OFFSET_OUT_OF_RANGE: 'OFFSET_OUT_OF_RANGE',
  MESSAGE_TOO_LARGE: 'RECORD_TOO_LARGE',
  RECORD_LIST_TOO_LARGE: 'RECORD_TOO_LARGE',
  INCONSISTENT_GROUP_PROTOCOL: 'GROUP_SHARED',
  TOPIC_AUTHORIZATION_FAILED: 'LOG_AUTH_FAILED',
  GROUP_AUTHORIZATION_FAILED: 'LOG_AUTH_FAILED',
  CLUSTER_AUTHORIZATION_FAILED: 'LOG_AUTH_FAILED',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'LOG_AUTH_FAILED',
  SASL_AUTHENTICATION_FAILED: 'LOG_AUTH_FAILED',
  UNSUPPORTED_SASL_MECHANISM: 'LOG_AUTH_FAILED',
  ILLEGAL_SASL_STATE: 'LOG_AUTH_FAILED',
  LEADER_NOT_AVAILABLE: 'LOG_UNREACHABLE',
  NOT_LEADER_FOR_PARTITION: 'LOG_UNREACHABLE',
  BROKER_NOT_AVAILABLE: 'LOG_UNREACHABLE',
  NETWORK_EXCEPTION: 'LOG_UNREACHABLE',
  GROUP_COORDINATOR_NOT_AVAILABLE: 'LOG_UNREACHABLE',
  GROUP_LOAD_IN_PROGRESS: 'LOG_UNREACHABLE',
};

const CODE_OF_NAME: Readonly<Record<string, ErrorCode>> = {
  KafkaJSSASLAuthenticationError: 'LOG_AUTH_FAILED',
  KafkaJSConnectionError: 'LOG_UNREACHABLE',
  KafkaJSConnectionClosedError: 'LOG_UNREACHABLE',
  KafkaJSRequestTimeoutError: 'LOG_UNREACHABLE',
  KafkaJSBrokerNotFound: 'LOG_UNREACHABLE',
  KafkaJSNoBrokerAvailableError: 'LOG_UNREACHABLE',
  KafkaJSGroupCoordinatorNotFound: 'LOG_UNREACHABLE',
  KafkaJSMetadataNotLoaded: 'LOG_UNREACHABLE',
  KafkaJSTopicMetadataNotLoaded: 'LOG_UNREACHABLE',
  KafkaJSLockTimeout: 'LOG_UNREACHABLE',
  KafkaJSTimeout: 'LOG_UNREACHABLE',
};

/** Node's codes of a TLS handshake that trying again does not mend (`tls` and OpenSSL's X509 verification). */
const TLS_CODES = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'HOSTNAME_MISMATCH',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
  'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
  'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'EPROTO',
]);

/** What a listener that speaks TLS or SASL does with a client that does not, and the other way about. */
const CLOSED_HINT = 'The broker closes the connection: check that it runs, and KAFKA_TLS_* and KAFKA_SASL_*.';

/**
 * kafkajs's error as one of ours, by its names and types, never by its text. An error that is ours already is
 * returned as it is; one that kafkajs does not know is UNEXPECTED.
 */
export function translateError(error: unknown, to: Destination): UserEventsError {
  if (error instanceof UserEventsError) return error;
  const faults = faultsOf(error);
  const { code, fault } = mostTelling(faults);
  const wasClosed =
    fault !== undefined && (fault.name === 'KafkaJSConnectionClosedError' || fault.code === 'ECONNRESET');
  return new UserEventsError(code, messageOf(code, fault, to), {
    cause: error,
    ...(wasClosed ? { hint: CLOSED_HINT } : {}),
  });
}

/** Whether the same request may succeed later: nobody answers, an election, a coordinator that is loading. */
export function isTransient(error: unknown): boolean {
  if (error instanceof UserEventsError && error.code === 'LOG_UNREACHABLE') return true;
  const { code, fault } = mostTelling(faultsOf(error));
  if (code === 'LOG_UNREACHABLE') return true;
  return code === 'LOG_REFUSED' && fault?.type !== undefined && fault.isRetriable;
}

/** Whether the error, or one that it wraps, is the protocol's error of that name. */
export function hasType(error: unknown, type: string): boolean {
  return faultsOf(error).some((fault) => fault.type === type);
}

function mostTelling(faults: readonly KafkaFault[]): { code: ErrorCode; fault: KafkaFault | undefined } {
  for (const fault of faults) {
    const code = fault.type === undefined ? undefined : CODE_OF_TYPE[fault.type];
    if (code !== undefined) return { code, fault };
  }
  const tls = faults.find(({ code }) => code !== undefined && TLS_CODES.has(code));
  if (tls !== undefined) return { code: 'LOG_AUTH_FAILED', fault: tls };
  for (const fault of faults) {
    const code = CODE_OF_NAME[fault.name];
    if (code !== undefined) return { code, fault };
  }
  const refused = faults.find(({ type }) => type !== undefined) ?? faults.find(isKafkajs);
  return { code: refused === undefined ? 'UNEXPECTED' : 'LOG_REFUSED', fault: refused ?? faults[0] };
}

/** In these kafkajs wraps what its retries gave up on, a bug of its own (a TypeError) too. */
const WRAPPERS = new Set(['KafkaJSNonRetriableError', 'KafkaJSNumberOfRetriesExceeded']);

function isKafkajs({ name }: KafkaFault): boolean {
  return name.startsWith('KafkaJS') && !WRAPPERS.has(name);
}

/** The error, what it wraps (`cause`, and `errors` of an aggregate), outermost first. */
function faultsOf(error: unknown): readonly KafkaFault[] {
  const faults: KafkaFault[] = [];
  const seen = new Set<unknown>();
  const queue: unknown[] = [error];
  while (queue.length > 0) {
    const next = queue.shift();
    if (!(next instanceof Error) || seen.has(next)) continue;
    seen.add(next);
    faults.push(faultOf(next));
    queue.push(next.cause, ...errorsOf(next));
  }
  return faults;
}

/** What an aggregate gathers: kafkajs's for topics that could not be made. */
function errorsOf(error: Error): readonly unknown[] {
  return 'errors' in error && Array.isArray(error.errors) ? error.errors : [];
}

function faultOf(error: Error): KafkaFault {
  return {
    name: error.name,
    message: error.message,
    type: 'type' in error && typeof error.type === 'string' ? error.type : undefined,
    code: 'code' in error && typeof error.code === 'string' ? error.code : undefined,
    isRetriable: 'retriable' in error && error.retriable === true,
  };
}

function messageOf(code: ErrorCode, fault: KafkaFault | undefined, { address, topic }: Destination): string {
  const why = fault?.type ?? fault?.code ?? fault?.message ?? 'for an unknown reason';
  switch (code) {
    case 'TOPIC_NOT_FOUND':
      return `Kafka at ${address} has no topic ${topic}`;
    case 'LOG_UNREACHABLE':
      return `Kafka at ${address} cannot be reached: ${why}`;
    case 'LOG_AUTH_FAILED':
      return `Kafka at ${address} does not let us in: ${why}`;
    case 'RECORD_TOO_LARGE':
      return `A record is larger than topic ${topic} allows: ${why}`;
    case 'OFFSET_OUT_OF_RANGE':
      return `An offset of topic ${topic} is outside its watermarks`;
    case 'GROUP_SHARED':
      return `The group has members of another database or program, says Kafka at ${address}`;
    case 'LOG_REFUSED':
      return `Kafka at ${address} refused: ${why}`;
    default:
      return `The Kafka client failed: ${fault?.name ?? 'no error'}: ${why}`;
  }
}
