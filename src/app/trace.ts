import type { EnvelopeContext } from '../domain/envelope.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import type { EventLog } from '../log/event-log.ts';
import { readPositions, type Position } from '../postgres/sql/positions.ts';
import { readBinding, type Binding } from '../postgres/sql/read-binding.ts';
import { readEvents } from '../postgres/sql/read-event.ts';
import { inTransaction, type Database, type PoolClient } from '../postgres/transaction.ts';
import { envelopeContext, type TypeSettings } from './envelope-context.ts';
import type { Backlog, EventTrace, Published } from './trace/event-trace.ts';
import { findInLedger, findInLog, type FoundRecord } from './trace/find-event.ts';
import { nextSteps, type SameService } from './trace/next-steps.ts';
import { publishedOf, readPublished } from './trace/read-record.ts';
import { readPendingStory, readStory, type Story } from './trace/read-story.ts';
import { readUnderWay } from './trace/read-under-way.ts';
import { storyContext, type StoryContext } from './trace/story-context.ts';

export interface TraceRequest {
  /** The event's UUID, the id as its producer wrote it, or its place: `TOPIC[P]@OFFSET`, `P@OFFSET`. */
  readonly id: string;
  /** `ce_source` of this service: whose ids are meant first. */
  readonly source: string;
  /** Search the log for an event that the ledger does not have. */
  readonly isSearched: boolean;
  /** What the commands that are named end with. */
  readonly flags: SameService;
  readonly types: TypeSettings;
  /** Opened for one record, or for the search. */
  readonly openLog: () => Promise<EventLog>;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

/**
 * One event's whole story: the ledger's part in one snapshot, then its record in the log. An event that this service has
 * not read is searched for in the log. EVENT_NOT_FOUND where neither knows it, USAGE where several have the id,
 * NOT_INITIALISED; while the log is away, its errors for an event that the ledger does not have.
 */
export async function traceEvent(database: Database, request: TraceRequest): Promise<EventTrace> {
  const { pool, schema } = database;
  const binding = await readBinding(pool, schema);
  const context = await storyContext(database, binding);
  const seen = await inTransaction(pool, 'repeatable read', async (client) => {
    const positions = await readPositions(client, schema);
    const eventId = await findInLedger(client, schema, request);
    return { positions, story: eventId === null ? null : await readKnown(client, context, eventId) };
  });
  const openLog = logOpener(binding, context, request);
  if (seen.story !== null) return told(database, context, seen.story, binding, request, openLog);
  const found = await search(openLog, seen.positions, request, schema);
  const { eventId } = found.event;
  // Meanwhile a consumer may have read it.
  const story = await inTransaction(pool, 'repeatable read', async (client) => {
    return (
      (await readKnown(client, context, eventId)) ?? (await readPendingStory(client, context, found.event))
    );
  });
  if (story.status !== 'pending') return told(database, context, story, binding, request, openLog);
  const { envelope } = await openLog();
  const published = publishedOf(found, envelope.topic, 'pending');
  const underWay = await readUnderWay(database, context, story, request);
  return complete(story, envelope.topic, { published, underWay }, request, backlogOf(found, seen.positions));
}

async function readKnown(client: PoolClient, context: StoryContext, eventId: string): Promise<Story | null> {
  const event = (await readEvents(client, context.schema, [eventId])).get(eventId);
  return event === undefined ? null : readStory(client, context, event);
}

type OpenLog = () => Promise<{ readonly log: EventLog; readonly envelope: EnvelopeContext }>;

/** BINDING_MISMATCH where the settings name another topic than the ledger is of: its records are not this ledger's. */
function logOpener(
  { topic }: Binding,
  { schema, mapper }: StoryContext,
  { types, openLog }: TraceRequest,
): OpenLog {
  return async () => {
    const log = await openLog();
    const description = await log.describe();
    if (topic !== null && topic !== description.topic) {
      const message = `The schema ${schema} belongs to topic ${topic}, not to ${description.topic}`;
      throw new UserEventsError('BINDING_MISMATCH', message);
    }
    return { log, envelope: envelopeContext(description, mapper?.table.keyType ?? 'text', types) };
  };
}

async function told(
  database: Database,
  context: StoryContext,
  story: Story,
  binding: Binding,
  request: TraceRequest,
  openLog: OpenLog,
): Promise<EventTrace> {
  const { partition, offset, status } = story;
  const timestamp = Date.parse(story.timestamp);
  const published = await readPublished(openLog, { partition, offset, timestamp, status }, request.signal);
  // A log that could not be read for the record is not asked again.
  const isReadable = published.record !== null;
  const underWay = isReadable ? await readUnderWay(database, context, story, request) : [];
  return complete(story, binding.topic ?? '', { published, underWay }, request, null);
}

async function search(
  openLog: OpenLog,
  positions: readonly Position[],
  { id, isSearched, signal, onProgress }: TraceRequest,
  schema: string,
): Promise<FoundRecord> {
  if (!isSearched) {
    throw new UserEventsError('EVENT_NOT_FOUND', `The ledger ${schema} has no event ${id}`, {
      hint: 'Without --no-scan the log is searched as well: this service may not have read it yet.',
    });
  }
  const { log, envelope } = await openLog();
  const found = await findInLog(id, { log, envelope, positions, signal, onProgress });
  if (found !== null) return found;
  throw new UserEventsError(
    'EVENT_NOT_FOUND',
    `Neither the ledger ${schema} nor ${envelope.topic} has an event ${id}`,
  );
}

function complete(
  story: Story,
  topic: string,
  { published, underWay }: { readonly published: Published; readonly underWay: EventTrace['underWay'] },
  { flags }: TraceRequest,
  backlog: Backlog | null,
): EventTrace {
  const situation = {
    ...story,
    code: story.error?.code ?? null,
    targets: story.rollback?.targets ?? [],
    isBeforeStart: backlog?.isBeforeStart ?? false,
  };
  const { eventId, ceId, operation, userId, status, ...rest } = story;
  const head = { eventId, ceId, operation, userId, status, topic };
  return { ...head, ...rest, published, underWay, backlog, next: nextSteps(situation, flags) };
}

function backlogOf({ record }: FoundRecord, positions: readonly Position[]): Backlog {
  const position = positions.find(({ partition }) => partition === record.partition);
  if (position === undefined) return { nextOffset: null, isBeforeStart: false };
  const { nextOffset, startOffset } = position;
  return { nextOffset, isBeforeStart: record.offset < startOffset };
}
