/**
 * The closed list of error codes.
 *
 * `scope: 'command'` codes end a command with their exit code. `scope: 'event'` codes are recorded in the
 * ledger as the reason of one event's failure; where a command ends because of such an event, the exit is theirs.
 * Exit codes: 1 unexpected, 2 usage, 3 configuration, 4 Kafka or PostgreSQL out of reach, 5 not found,
 * 6 refused, 7 finished but events failed, 130 interrupted.
 */
interface ErrorCodeEntry {
  readonly scope: 'command' | 'event';
  readonly exit: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 130;
  /** What to do, in one line. */
  readonly hint: string;
}

export const ERROR_CODES = {
  UNEXPECTED: {
    scope: 'command',
    exit: 1,
    hint: 'This is a bug of user-events. Run again with DEBUG=user-events and report what it prints.',
  },
  USAGE: { scope: 'command', exit: 2, hint: 'Run the command with --help.' },
  INPUT_INVALID: {
    scope: 'command',
    exit: 2,
    hint: 'Mend the lines named, or send the good ones with --keep-going.',
  },
  NO_TERMINAL: {
    scope: 'command',
    exit: 2,
    hint: 'Without a terminal nothing is asked: give the value as a flag, or --yes to confirm.',
  },
  CONFIG_INVALID: { scope: 'command', exit: 3, hint: 'Mend the setting named.' },
  CONFIG_HALF: {
    scope: 'command',
    exit: 3,
    hint: 'Set both the log (KAFKA_BROKERS or EVENT_LOG_URL) and the database (DATABASE_URL), or neither for the embedded engine.',
  },
  NOT_INITIALISED: {
    scope: 'command',
    exit: 3,
    hint: 'Is it the right database and --schema? A new service: `user-events init`.',
  },
  SCHEMA_NEWER: {
    scope: 'command',
    exit: 3,
    hint: 'Upgrade user-events to the version that migrated this schema.',
  },
  USERS_TABLE_INVALID: {
    scope: 'command',
    exit: 3,
    hint: 'Name the table and its key with --table and --key-column; the key needs a unique index of its own.',
  },
  DATABASE_REFUSED: {
    scope: 'command',
    exit: 3,
    hint: 'Mend what PostgreSQL names (role, database, schema, table, right), then start again: nothing was lost.',
  },
  DATABASE_ENCODING: {
    scope: 'command',
    exit: 3,
    hint: "Use a database of encoding UTF8 (create database … encoding 'UTF8' template template0): no other can hold every user.",
  },
  BINDING_MISMATCH: {
    scope: 'command',
    exit: 3,
    hint: 'Use another --schema for another table, topic, cluster, group or rules.',
  },
  GROUP_SHARED: {
    scope: 'command',
    exit: 3,
    hint: 'Give each its own consumer group with --group. Of a program that is gone, take it over: --from committed.',
  },
  LOG_REPLACED: {
    scope: 'command',
    exit: 3,
    hint: 'The topic was made anew. If that was meant, go on with --accept-gap.',
  },
  LOG_TRUNCATED: {
    scope: 'command',
    exit: 3,
    hint: 'Events were deleted before they were read. If that is accepted, go on with --accept-gap.',
  },
  LOG_CORRUPT: {
    scope: 'command',
    exit: 3,
    hint: "Mend the broker's disk, or restore the partition from a replica; `user-events log -o` reads what is around it.",
  },
  LOG_FORMAT_OLD: {
    scope: 'command',
    exit: 3,
    hint: 'The records are older than Kafka 0.11: read them with USER_EVENTS_FAST_CODEC=off, or write the topic anew.',
  },
  METRICS_NOT_SERVED: {
    scope: 'command',
    exit: 3,
    hint: 'Choose another port or address with --metrics-port; 0 is any free port.',
  },
  TOPIC_NOT_FOUND: {
    scope: 'command',
    exit: 5,
    hint: 'Create the topic, or let `user-events init` create it.',
  },
  LOG_UNREACHABLE: {
    scope: 'command',
    exit: 4,
    hint: 'Check KAFKA_BROKERS (or EVENT_LOG_URL) and that the broker runs.',
  },
  LOG_AUTH_FAILED: {
    scope: 'command',
    exit: 3,
    hint: 'Check KAFKA_SASL_* and KAFKA_TLS_*, and the ACLs of the topic and group.',
  },
  LOG_REFUSED: { scope: 'command', exit: 4, hint: 'The broker refused the request for the reason named.' },
  RECORD_TOO_LARGE: {
    scope: 'command',
    exit: 2,
    hint: "Make the event smaller, or raise the topic's max.message.bytes.",
  },
  DATABASE_UNREACHABLE: {
    scope: 'command',
    exit: 4,
    hint: 'Check DATABASE_URL (or PG*) and that PostgreSQL runs.',
  },
  EMBEDDED_UNAVAILABLE: {
    scope: 'command',
    exit: 4,
    hint: 'Set KAFKA_BROKERS and DATABASE_URL to use your own, or run `user-events doctor`.',
  },
  EVENT_NOT_FOUND: {
    scope: 'command',
    exit: 5,
    hint: 'Check the id and the topic; `user-events log` lists what is there.',
  },
  USER_ROW_NOT_FOUND: {
    scope: 'command',
    exit: 5,
    hint: 'Check the id; `user-events users list` lists what is there.',
  },
  OFFSET_OUT_OF_RANGE: {
    scope: 'command',
    exit: 5,
    hint: 'Use an offset between the low and the high watermark.',
  },
  ROLLBACK_REFUSED: { scope: 'command', exit: 6, hint: 'Read the plan with --dry-run.' },
  LATER_EVENTS: {
    scope: 'command',
    exit: 6,
    hint: 'Choose: --only withdraws the event alone, --cascade also what came after it.',
  },
  FORGET_REFUSED: {
    scope: 'command',
    exit: 6,
    hint: 'Delete the user by an event, and settle what is failed, first.',
  },
  DECLINED: { scope: 'command', exit: 6, hint: 'Nothing was sent or changed.' },
  PRODUCTION_GUARD: {
    scope: 'command',
    exit: 6,
    hint: 'Name the profile as well: --yes --profile NAME. At a terminal its name is asked for.',
  },
  TIMED_OUT: { scope: 'command', exit: 6, hint: 'What was sent stays sent; is a consumer running?' },
  EVENTS_FAILED: { scope: 'command', exit: 7, hint: 'See `user-events failures`.' },
  INTERRUPTED: {
    scope: 'command',
    exit: 130,
    hint: 'What was done before stays done; nothing more was begun.',
  },

  UNREADABLE: { scope: 'event', exit: 7, hint: 'Mend the producer; then skip the event.' },
  UNKNOWN_TYPE: {
    scope: 'event',
    exit: 7,
    hint: 'Name the type in ignoreTypes or mapTypes for what comes; skip this event or roll it back.',
  },
  EVENT_ID_REUSED: {
    scope: 'event',
    exit: 7,
    hint: 'The producer gave one id to two events; skip this one.',
  },
  USER_EXISTS: { scope: 'event', exit: 7, hint: 'Roll the event back, or publish an update instead.' },
  USER_NOT_FOUND: {
    scope: 'event',
    exit: 7,
    hint: 'Roll back or skip it; then publish a create, and the update again.',
  },
  UNKNOWN_FIELD: {
    scope: 'event',
    exit: 7,
    hint: 'Add the column (or a jsonb column for extra fields), then retry.',
  },
  WRONG_TYPE: { scope: 'event', exit: 7, hint: 'Mend the producer, then roll the event back.' },
  DATABASE_CONSTRAINT: {
    scope: 'event',
    exit: 7,
    hint: 'Mend the row that is in the way and retry, or roll the event back.',
  },
  DATABASE_VALUE: {
    scope: 'event',
    exit: 7,
    hint: 'The column cannot hold the value: widen it and retry, or roll back.',
  },
  DATABASE_TRIGGER: {
    scope: 'event',
    exit: 7,
    hint: 'A trigger of the users table refused: read its message.',
  },
  STATEMENT_TIMEOUT: {
    scope: 'event',
    exit: 7,
    hint: 'The event alone ran into statement_timeout twice; retry later.',
  },
  DRIFT: {
    scope: 'event',
    exit: 7,
    hint: 'The row was changed from outside the log: mend it and retry, or retry with --force.',
  },
  IMAGE_PRUNED: {
    scope: 'event',
    exit: 7,
    hint: 'The image needed was pruned: mend the row by hand, then skip.',
  },
  NOT_FOUND: { scope: 'event', exit: 6, hint: 'This service knows none of the targets.' },
  PLAN_CHANGED: { scope: 'event', exit: 6, hint: 'Newer events came after the plan: make the plan again.' },
  WOULD_INVALIDATE: {
    scope: 'event',
    exit: 6,
    hint: 'What would be left could not be executed: roll back with --cascade.',
  },
} as const satisfies Record<string, ErrorCodeEntry>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** The codes that the ledger records as the reason of one event's failure or refusal. */
export type EventErrorCode = {
  [C in ErrorCode]: (typeof ERROR_CODES)[C]['scope'] extends 'event' ? C : never;
}[ErrorCode];
