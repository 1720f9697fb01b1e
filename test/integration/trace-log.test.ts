import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { traceEvent, type TraceRequest } from '../../src/app/trace.ts';
import type { EventTrace } from '../../src/app/trace/event-trace.ts';
import type { OutgoingCudEvent } from '../../src/domain/envelope.ts';
import { readEnvelope } from '../../src/domain/read-envelope.ts';
import { writeEnvelope } from '../../src/domain/write-envelope.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createPostgresEventLog } from '../../src/log/postgres/event-log.ts';
import { migrateLog } from '../../src/postgres/migrate.ts';
import { eventId, openApplier, prepareUsers } from '../support/apply-harness.ts';
import { uniqueName } from '../support/names.ts';
import { useTestDatabase } from '../support/test-database.ts';
import { CONTEXT } from '../support/wire-records.ts';

const LOG_SCHEMA = 'user_events_log';
const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

const database = useTestDatabase();
let log: EventLog;
let topic: string;

beforeAll(async () => {
  const { connectionString } = database();
  await migrateLog({ connectionString, schema: LOG_SCHEMA });
  await prepareUsers(database());
});
beforeEach(async () => {
  const { pool, schema, connectionString } = database();
  await pool.query(`truncate public.users, ${schema}.ledger, ${schema}.position, ${schema}.attempt`);
  topic = uniqueName('topic');
  log = createPostgresEventLog({ connectionString, topic, schema: LOG_SCHEMA, patience: 'short' });
  await log.createTopic(1);
  await pool.query(`update ${schema}.binding set topic = $1`, [topic]);
});
afterEach(() => log.close());

const event = (n: number, userId: string, more: Partial<OutgoingCudEvent> = {}): OutgoingCudEvent => ({
  kind: 'cud',
  operation: 'create',
  eventId: eventId(n),
  userId,
  fields: { name: `name ${String(n)}` },
  ...more,
});

const publish = (...events: readonly OutgoingCudEvent[]): Promise<unknown> =>
  log.append(events.map((each) => writeEnvelope(each, 'urn:crm')));

/** Executes what lies before an offset. */
async function consumeBefore(to: bigint): Promise<void> {
  const { clusterId } = await log.describe();
  const applier = await openApplier(database());
  for await (const { records } of log.read([{ partition: 0, from: 0n, to }])) {
    await applier.apply(
      records.map((record) => readEnvelope(record, { ...CONTEXT, clusterId, topic })),
      to,
    );
  }
}

async function trace(id: string, more: Partial<TraceRequest> = {}): Promise<EventTrace> {
  return traceEvent(database(), {
    id,
    source: '/test',
    isSearched: true,
    flags: { logAndLedger: '', ledger: '' },
    types: { ignoreTypes: [], mapTypes: new Map() },
    openLog: () => Promise.resolve(log),
    signal: new AbortController().signal,
    onProgress: () => undefined,
    ...more,
  });
}

describe('who published an event', () => {
  test('is read from its record by its place', async () => {
    await publish(event(1, 'a'), event(2, 'b', { traceparent: TRACEPARENT, causationId: 'order-7' }));
    await consumeBefore(2n);
    const { published } = await trace(eventId(2));
    expect(published).toMatchObject({
      missing: null,
      source: 'urn:crm',
      type: 'user.created',
      traceparent: TRACEPARENT,
      causationId: 'order-7',
    });
    expect(JSON.parse(published.record?.text ?? '')).toMatchObject({
      topic,
      offset: 1,
      key: 'b',
      value: { userId: 'b', name: 'name 2' },
      eventId: eventId(2),
      status: 'applied',
    });
  });

  test('is not known where the log no longer has the record, or has another one', async () => {
    await publish(event(1, 'a'), event(2, 'b'));
    await consumeBefore(2n);
    const { pool, schema } = database();
    await pool.query(`select ${LOG_SCHEMA}.delete_records($1, 0, 1)`, [topic]);
    await pool.query(
      `update ${schema}.ledger set published_at = published_at - interval '1 h' where "offset" = 1`,
    );
    expect(await trace(eventId(1))).toMatchObject({
      status: 'applied',
      published: { record: null, missing: 'the log no longer has it' },
    });
    expect((await trace(eventId(2))).published.missing).toBe(
      'the log has another record there: it was made anew',
    );
  });

  test('is not taken from another topic than the ledger is of', async () => {
    await publish(event(1, 'a'));
    await consumeBefore(1n);
    await database().pool.query(`update ${database().schema}.binding set topic = 'another'`);
    expect((await trace(eventId(1))).published.missing).toMatch(
      /belongs to topic another, not to .*BINDING_MISMATCH/,
    );
    await expect(trace('unknown')).rejects.toMatchObject({ code: 'BINDING_MISMATCH' });
  });
});

describe('an event that this service has not read', () => {
  test('is found in the log and shown as pending, with what it would meet', async () => {
    await publish(event(1, 'a'), event(2, 'a'), event(3, 'b'), event(4, 'a', { operation: 'update' }));
    await consumeBefore(2n);
    const progress: number[][] = [];
    const story = await trace(eventId(4), { onProgress: (...counts) => progress.push(counts) });
    expect(story).toMatchObject({
      status: 'pending',
      operation: 'update',
      topic,
      offset: 3n,
      decidedAt: null,
      attempts: 0,
      backlog: { nextOffset: 2n, isBeforeStart: false },
      blockedBy: { eventId: eventId(2), code: 'USER_EXISTS' },
      row: { kind: 'would', source: 'table' },
      published: { source: 'urn:crm', missing: null },
    });
    expect(story.next.map(({ command }) => command)).toEqual([
      'user-events status',
      'user-events consume --until-end',
    ]);
    await trace('none').catch(() => undefined);
    expect(progress.every(([done = 0, total = 0]) => done <= total && total === 2)).toBe(true);
  });

  test('is found by its place and by the id as its producer wrote it', async () => {
    await publish(event(1, 'a'), event(2, 'b', { eventId: 'crm-2' }));
    await consumeBefore(1n);
    const byId = await trace('crm-2');
    expect(byId).toMatchObject({ status: 'pending', ceId: 'crm-2', offset: 1n });
    expect(await trace('0@1')).toMatchObject({ eventId: byId.eventId });
    await consumeBefore(2n);
    expect(await trace('crm-2')).toMatchObject({ status: 'applied', eventId: byId.eventId });
  });

  test('is found before the start of the group too, and told that it is never executed', async () => {
    await publish(event(1, 'a'), event(2, 'b'));
    const { pool, schema } = database();
    await pool.query(
      `insert into ${schema}.position (partition, next_offset, start_offset) values (0, 2, 2)`,
    );
    const story = await trace(eventId(1));
    expect(story).toMatchObject({ status: 'pending', backlog: { isBeforeStart: true }, next: [] });
  });

  test('says what will fail where the record cannot be read', async () => {
    await log.append([{ key: Buffer.from('a'), value: Buffer.from('oops'), headers: [] }]);
    expect(await trace('0@0')).toMatchObject({
      status: 'pending',
      operation: null,
      userId: 'a',
      error: { code: 'UNREADABLE' },
      raw: { value: 'oops', encoding: 'text' },
    });
  });

  test('ends with EVENT_NOT_FOUND where neither the ledger nor the log has it', async () => {
    await publish(event(1, 'a'));
    await expect(trace(eventId(9))).rejects.toMatchObject({ code: 'EVENT_NOT_FOUND' });
    await expect(trace('0@7')).rejects.toMatchObject({ code: 'EVENT_NOT_FOUND' });
    await expect(trace(eventId(1), { isSearched: false })).rejects.toMatchObject({ code: 'EVENT_NOT_FOUND' });
  });
});
