import type { Status } from '../../domain/event.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import { readPositions, type Position } from '../../postgres/sql/positions.ts';
import { readBinding, type Binding } from '../../postgres/sql/read-binding.ts';
import { readEvents, readUserEvents, type LedgerEvent } from '../../postgres/sql/read-event.ts';
import { inTransaction, type Database } from '../../postgres/transaction.ts';
import { findKeyType } from '../envelope-context.ts';
import type { PendingEvent } from '../log/pending-event.ts';
import { toPending } from '../log/pending-event.ts';
import { tryReadAhead } from '../log/read-pending.ts';
import { isoTime } from '../trace/iso-time.ts';
import { findUser, type SearchOptions, type WantedEvent } from './find-user.ts';
import { askEach, type Answer, type AskedService, type ServiceError } from './ask-each.ts';

/** Who has executed what of one user's events: a row an event, a column a service. */
export interface TraceMatrix {
  readonly userId: string;
  /** The event that was asked for; null where the user was. */
  readonly eventId: string | null;
  readonly services: readonly ServiceColumn[];
  /** The newest, in order. */
  readonly events: readonly MatrixRow[];
}

export interface ServiceColumn {
  readonly profile: string;
  readonly database: string | null;
  readonly schema: string | null;
  readonly topic: string | null;
  /** Why it has no cells; null where it has. */
  readonly error: ServiceError | null;
}

export interface MatrixRow {
  readonly eventId: string;
  /** Null where the record cannot be read or is ignored. */
  readonly operation: string | null;
  readonly partition: number;
  readonly offset: bigint;
  /** ISO 8601: when it was published. */
  readonly timestamp: string;
  /** By profile. */
  readonly decisions: Readonly<Record<string, MatrixCell>>;
}

/**
 * `pending`: the service has not come so far. `before start`: it began behind it, and never executes it. `absent`: it is
 * past that place and has no such event (another topic, or a gap that was accepted).
 */
export interface MatrixCell {
  readonly status: Status | 'pending' | 'before start' | 'absent';
  readonly code: string | null;
  readonly attempts: number;
  /** ISO 8601; null where it was not decided. */
  readonly decidedAt: string | null;
  readonly blockedBy: string | null;
}

export interface MatrixRequest extends SearchOptions {
  readonly wanted: WantedEvent | { readonly userId: string };
  readonly limit: number;
}

interface Seen {
  readonly database: Database;
  readonly binding: Binding;
  readonly positions: readonly Position[];
  readonly rows: readonly LedgerEvent[];
  readonly ahead: readonly PendingEvent[];
}

/**
 * Asks several services what became of a user's events, or of those of the user of one event. A service that cannot
 * answer has an error in its column. EVENT_NOT_FOUND where none of them knows the event or the user.
 */
export async function traceMatrix(
  services: readonly AskedService[],
  request: MatrixRequest,
): Promise<TraceMatrix> {
  const { wanted, limit } = request;
  const found = 'userId' in wanted ? null : await findUser(services, wanted, request);
  if (found === null && !('userId' in wanted)) throw notFound(`event ${wanted.event}`);
  const userId = 'userId' in wanted ? wanted.userId : (found?.userId ?? '');
  const eventId = found?.eventId ?? null;
  const answers = await askEach(services, (service) => look(service, userId, request));
  const rows = rowsOf(answers, limit, eventId, found?.unread ?? null);
  if (rows.length === 0) throw notFound(`events of user ${userId}`);
  const cells = await askEach(services, async (service) => {
    const seen = answers.find((answer) => answer.service === service)?.value ?? null;
    return seen === null ? new Map<string, MatrixCell>() : cellsOf(seen, rows);
  });
  return {
    userId,
    eventId,
    services: answers.map(({ service, value, error }) => ({
      profile: service.profile,
      database: value?.database.address ?? null,
      schema: value?.database.schema ?? null,
      topic: value?.binding.topic ?? null,
      error,
    })),
    events: rows.map((row) => ({
      ...row,
      decisions: Object.fromEntries(
        cells.flatMap(({ service, value }) => {
          const cell = value?.get(row.eventId);
          return cell === undefined ? [] : [[service.profile, cell]];
        }),
      ),
    })),
  };
}

function notFound(what: string): UserEventsError {
  return new UserEventsError('EVENT_NOT_FOUND', `None of the services has ${what}`, {
    hint: 'Check the id. `user-events log` shows what is in the log.',
  });
}

async function look(service: AskedService, userId: string, { limit, signal }: MatrixRequest): Promise<Seen> {
  const database = await service.database();
  const { pool, schema } = database;
  const binding = await readBinding(pool, schema);
  const { positions, rows } = await inTransaction(pool, 'repeatable read', async (client) => ({
    positions: await readPositions(client, schema),
    rows: await readUserEvents(client, schema, userId, limit),
  }));
  const keyType = (await findKeyType(database)) ?? 'text';
  const users = new Map([[userId, [...new Set(rows.map(({ partition }) => partition))]]]);
  const ahead = await tryReadAhead(database, service.log, {
    users: () => users,
    keyType,
    types: service.types,
    signal,
  });
  return { database, binding, positions, rows, ahead: (ahead.byUser.get(userId) ?? []).map(toPending) };
}

type Row = Omit<MatrixRow, 'decisions'>;

/** All that any of the services knows, in order: the newest, and the one that was asked for. */
function rowsOf(
  answers: readonly Answer<Seen>[],
  limit: number,
  asked: string | null,
  unread: PendingEvent | null,
): readonly Row[] {
  const rows = new Map<string, Row>();
  for (const { value } of answers) {
    for (const { eventId, operation, partition, offset, timestamp } of value?.rows ?? [])
      rows.set(eventId, { eventId, operation, partition, offset, timestamp: isoTime(timestamp) });
    for (const { eventId, operation, partition, offset, timestamp } of value?.ahead ?? [])
      if (!rows.has(eventId)) rows.set(eventId, { eventId, operation, partition, offset, timestamp });
  }
  if (unread !== null && !rows.has(unread.eventId)) {
    const { eventId, operation, partition, offset, timestamp } = unread;
    rows.set(eventId, { eventId, operation, partition, offset, timestamp });
  }
  const all = [...rows.values()];
  const isOne = new Set(all.map(({ partition }) => partition)).size === 1;
  const ordered = all.sort((a, b) => {
    const byTime = a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : 0;
    return isOne || byTime === 0 ? Number(a.offset - b.offset) : byTime;
  });
  return ordered.filter(({ eventId }, at) => at >= ordered.length - limit || eventId === asked);
}

async function cellsOf(seen: Seen, rows: readonly Row[]): Promise<ReadonlyMap<string, MatrixCell>> {
  const { database, positions, ahead } = seen;
  const ids = rows.map(({ eventId }) => eventId);
  const known = await readEvents(database.pool, database.schema, ids);
  const isAhead = new Set(ahead.map(({ eventId }) => eventId));
  return new Map(
    rows.map((row): [string, MatrixCell] => {
      const event = known.get(row.eventId);
      const none = { code: null, attempts: 0, decidedAt: null, blockedBy: null };
      if (event === undefined)
        return [
          row.eventId,
          { status: isAhead.has(row.eventId) ? 'pending' : unread(row, positions), ...none },
        ];
      const { status, error, attempts, decidedAt, blockedBy } = event;
      const code = error?.code ?? null;
      return [row.eventId, { status, code, attempts, decidedAt: decidedAt.toISOString(), blockedBy }];
    }),
  );
}

function unread({ partition, offset }: Row, positions: readonly Position[]): MatrixCell['status'] {
  const position = positions.find((each) => each.partition === partition);
  if (position === undefined || offset >= position.nextOffset) return 'pending';
  return offset < position.startOffset ? 'before start' : 'absent';
}
