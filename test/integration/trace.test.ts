import { describe, expect, test } from '@jest/globals';
import { decideAgain } from '../../src/app/decide-again.ts';
import { openLedger } from '../../src/app/consume/open-group.ts';
import { traceEvent } from '../../src/app/trace.ts';
import { cud, eventId, openApplier, prepareUsers } from '../support/apply-harness.ts';
import { useTestDatabase } from '../support/test-database.ts';
import { changesOf, commandsOf, traceRequest, useTraceHarness } from '../support/trace-harness.ts';

const { database, apply, trace } = useTraceHarness();

describe('the story of a failed event', () => {
  test('says why, who is in the way, what it would do to the row as it is now, and what it holds back', async () => {
    await apply(
      [
        cud(0, 'create', 'a', { name: 'A', email: 'a@x' }),
        cud(1, 'create', 'b', { name: 'B', city: 'Rome' }),
      ],
      [cud(2, 'update', 'b', { email: 'a@x', city: 'Oslo', name: 'B' })],
      [cud(3, 'update', 'b', { name: 'BB' }), cud(4, 'delete', 'b')],
    );
    const story = await trace(2);
    expect(story).toMatchObject({
      operation: 'update',
      userId: 'b',
      status: 'failed',
      partition: 0,
      offset: 2n,
      timestamp: '2026-01-01T00:00:02.000Z',
      attempts: 1,
      error: {
        code: 'DATABASE_CONSTRAINT',
        sqlState: '23505',
        detail: { constraint: 'email_unique', detail: 'Key (email)=(a@x) already exists.' },
        constraint: { definition: 'UNIQUE (email)', columns: ['email'], isUnique: true, heldBy: 'a' },
      },
      published: { record: null, missing: 'the log cannot be read: nobody is there (LOG_UNREACHABLE)' },
      row: { kind: 'would', source: 'table' },
      parked: { count: 2, first: [{ eventId: eventId(3), offset: 3n }, { operation: 'delete' }] },
      blockedBy: null,
    });
    expect(changesOf(story)).toEqual([
      'email: null → "a@x"',
      'attributes.city: "Rome" → "Oslo"',
      'name: "B" → "B" (same)',
    ]);
    expect(commandsOf(story)).toEqual([
      `user-events retry ${eventId(2)}`,
      `user-events rollback --event-id ${eventId(2)} --dry-run`,
      `user-events skip ${eventId(2)} --reason "…"`,
    ]);
  });

  test('gives the definition of a check constraint and the columns that it is about', async () => {
    await apply([cud(0, 'create', 'a', { name: 'bad' })]);
    expect((await trace(0)).error?.constraint).toEqual({
      name: 'name_is_not_bad',
      definition: `CHECK ((name <> 'bad'::text))`,
      columns: ['name'],
      isUnique: false,
      heldBy: null,
    });
  });

  test('names the column whose type cannot take the value, where PostgreSQL can say', async () => {
    await apply([
      cud(0, 'create', 'a', { name: 'A', age: 'old' }),
      cud(1, 'create', 'b', { code: 'ABCD', age: 1 }),
    ]);
    const canSay = await database().pool.query<{ is_known: boolean }>(
      `select to_regproc('pg_input_is_valid') is not null as is_known`,
    );
    const known = (invalid: object): object[] => (canSay.rows[0]?.is_known === true ? [invalid] : []);
    expect((await trace(0)).error).toMatchObject({
      sqlState: '22P02',
      invalid: known({ column: 'age', type: 'integer' }),
    });
    expect((await trace(1)).error).toMatchObject({
      sqlState: '22001',
      invalid: known({ column: 'code', type: 'character varying(3)' }),
    });
  });

  test('keeps the bytes of what cannot be read, and offers no retry without a user', async () => {
    const { value: _, ...head } = cud(0, 'put', 'a');
    const unreadable = { ...head, kind: 'unreadable', code: 'UNREADABLE', reason: 'no JSON' } as const;
    await apply([
      { ...unreadable, value: Buffer.from('{"oops'), userId: null },
      { ...unreadable, eventId: eventId(1), offset: 1n, value: Buffer.from([0xff, 0]) },
    ]);
    const withoutUser = await trace(0);
    expect(withoutUser).toMatchObject({ operation: null, userId: null, fields: null, row: null });
    expect(withoutUser.raw).toEqual({ value: '{"oops', encoding: 'text' });
    expect(commandsOf(withoutUser)).toEqual([`user-events skip ${eventId(0)} --reason "…"`]);
    expect((await trace(1)).raw).toEqual({ value: '/wA=', encoding: 'base64' });
  });

  test('tells every later decision, and who made it', async () => {
    await apply([cud(0, 'create', 'a', { name: 'bad' }), cud(1, 'update', 'a', { age: 1 })]);
    const terms = {
      operator: 'op',
      force: false,
      maxAttempts: null,
      signal: new AbortController().signal,
      onProgress: () => undefined,
    };
    const ledger = await openLedger(database());
    await decideAgain(database(), ledger, {
      ...terms,
      kind: 'retry',
      eventIds: [eventId(0)],
      reason: 'again',
    });
    await decideAgain(database(), ledger, { ...terms, kind: 'skip', eventIds: [eventId(0)], reason: 'lost' });
    const story = await trace(0);
    expect(story).toMatchObject({ status: 'skipped', attempts: 2, error: { code: 'DATABASE_CONSTRAINT' } });
    expect(story.decisions).toMatchObject({
      count: 2,
      newest: [
        { cause: 'retry', operator: 'op', reason: 'again', status: 'failed', code: 'DATABASE_CONSTRAINT' },
        { cause: 'skip', operator: 'op', reason: 'lost', status: 'skipped', code: null },
      ],
    });
  });
});

describe('finding an event', () => {
  const idOf = async (id: string): Promise<string> =>
    (await traceEvent(database(), traceRequest(id))).eventId;

  test('takes a UUID in capitals, a place, and the id as its producer wrote it', async () => {
    const named = { ...cud(1, 'create', 'b', {}), ceId: 'crm-1', source: 'urn:crm' };
    await apply([{ ...cud(0, 'create', 'a', {}), eventId: '0190a3c4-7e1b-7c3d-8e4f-5a6b7c8d9e0f' }, named]);
    expect(await idOf('0190A3C4-7E1B-7C3D-8E4F-5A6B7C8D9E0F')).toBe('0190a3c4-7e1b-7c3d-8e4f-5a6b7c8d9e0f');
    expect(await idOf('crm-1')).toBe(eventId(1));
    expect(await idOf('0@1')).toBe(eventId(1));
    expect(await idOf('user-events[0]@1')).toBe(eventId(1));
  });

  test('names the events where several producers use the id', async () => {
    await apply([
      { ...cud(0, 'create', 'a', {}), ceId: '1', source: 'x' },
      { ...cud(1, 'create', 'b', {}), ceId: '1', source: 'y' },
    ]);
    await expect(traceEvent(database(), traceRequest('1'))).rejects.toMatchObject({
      code: 'USAGE',
      facts: { eventIds: [eventId(0), eventId(1)] },
    });
  });

  test('ends with EVENT_NOT_FOUND in the ledger alone, and with the error of a log that is away', async () => {
    await expect(traceEvent(database(), traceRequest('nowhere'))).rejects.toMatchObject({
      code: 'EVENT_NOT_FOUND',
    });
    await expect(traceEvent(database(), traceRequest('nowhere', { isSearched: true }))).rejects.toMatchObject(
      {
        code: 'LOG_UNREACHABLE',
      },
    );
  });

  test('ends the commands with the flags that lead to the same service', async () => {
    await apply([cud(0, 'create', 'a', {})]);
    const story = await traceEvent(
      database(),
      traceRequest(eventId(0), { flags: { logAndLedger: ' --schema two', ledger: '' } }),
    );
    expect(commandsOf(story)).toEqual([
      `user-events rollback --event-id ${eventId(0)} --dry-run --schema two`,
    ]);
  });
});

describe('a table without a column for extra fields', () => {
  const plain = useTestDatabase();

  test('has the field that has no column named', async () => {
    const { pool, schema } = plain();
    await prepareUsers(plain());
    await pool.query(`update ${schema}.binding set extra_column = null`);
    const applier = await openApplier(plain());
    await applier.apply([cud(0, 'create', 'a', { name: 'A', shoeSize: 43 })], 1n);
    const story = await traceEvent(plain(), traceRequest(eventId(0)));
    expect(story.error).toMatchObject({ code: 'UNKNOWN_FIELD', detail: { field: 'shoeSize' } });
    expect(story.row?.fields.find(({ field }) => field === 'shoeSize')?.fault).toContain('has no column');
  });
});
