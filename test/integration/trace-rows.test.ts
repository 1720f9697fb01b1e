import { describe, expect, test } from '@jest/globals';
import { traceUser } from '../../src/app/trace/user-timeline.ts';
import { cud, eventId, rollback } from '../support/apply-harness.ts';
import { changesOf, commandsOf, useTraceHarness } from '../support/trace-harness.ts';

const { database, apply, trace } = useTraceHarness();

describe('the story of an event in effect', () => {
  test('takes the row before from its image, and folds it where the batch kept one for an earlier event', async () => {
    await apply(
      [
        cud(0, 'create', 'a', { name: 'A', age: 1, city: 'Rome' }),
        cud(1, 'update', 'a', { name: 'B', city: 'Oslo' }),
      ],
      [
        cud(2, 'update', 'a', { age: '2' }),
        cud(3, 'update', 'a', { age: 2, note: null }),
        cud(4, 'delete', 'a'),
      ],
    );
    const created = await trace(0);
    expect(created.row).toMatchObject({ kind: 'did', source: 'image', before: null });
    expect(changesOf(created)).toEqual([
      'name: none → "A"',
      'age: none → 1',
      'attributes.city: none → "Rome"',
    ]);
    const updated = await trace(1);
    expect(updated.row?.source).toBe('fold');
    expect(changesOf(updated)).toEqual(['name: "A" → "B"', 'attributes.city: "Rome" → "Oslo"']);
    expect((await trace(2)).row?.source).toBe('image');
    expect(changesOf(await trace(2))).toEqual(['age: 1 → "2"']);
    expect(changesOf(await trace(3))).toEqual(['age: "2" → 2 (same)', 'note: "none" → null']);
    const deleted = await trace(4);
    expect(deleted.row).toMatchObject({ source: 'fold', after: null });
    expect(changesOf(deleted)).toContain('name: "B" → none');
  });

  test('keeps all digits of what the table had', async () => {
    await apply(
      [cud(0, 'create', 'a', { big: '12345678901234567890.5' })],
      [cud(1, 'update', 'a', { age: 1 })],
    );
    expect((await trace(1)).row?.before?.['big']?.text).toBe('12345678901234567890.5');
  });

  test('says so where the image is gone', async () => {
    await apply([cud(0, 'create', 'a', { name: 'A' })], [cud(1, 'update', 'a', { name: 'B' })]);
    await database().pool.query(`update ${database().schema}.ledger set before = null`);
    const story = await trace(1);
    expect(story.row).toMatchObject({ kind: 'did', source: 'unknown' });
    expect(story.row).not.toHaveProperty('before');
    expect(changesOf(story)).toEqual(['name: none → "B"']);
  });

  test('is told without rows where the users table is gone', async () => {
    await apply([cud(0, 'create', 'a', { name: 'A' })]);
    await database().pool.query('drop table public.users');
    expect(await trace(0)).toMatchObject({
      status: 'applied',
      row: null,
      rowMissing: 'There is no table public.users',
      fields: { name: 'A' },
    });
  });
});

describe('the story of a rollback', () => {
  test('is told by the event that it withdrew, by itself, and by its redo', async () => {
    await apply(
      [cud(0, 'create', 'a', { name: 'A' })],
      [cud(1, 'update', 'a', { name: 'B' }), cud(2, 'update', 'a', { age: 2 }), rollback(3, 'a', [1])],
    );
    const withdrawn = await trace(1);
    expect(withdrawn).toMatchObject({
      status: 'rolled_back',
      row: { kind: 'gone' },
      withdrawnBy: [
        { eventId: eventId(3), isStanding: true, mode: 'only', operator: 'tester', reason: 'test' },
      ],
    });
    expect(changesOf(withdrawn)).toEqual(['name: "A" → "B"']);
    expect(commandsOf(withdrawn)).toEqual([`user-events rollback --event-id ${eventId(3)} --dry-run`]);
    expect(withdrawn.decisions.newest).toMatchObject([
      { cause: 'rollback', causedBy: eventId(3), operator: 'tester', status: 'rolled_back' },
    ]);
    expect((await trace(3)).rollback).toMatchObject({
      targets: [eventId(1)],
      mode: 'only',
      reason: 'test',
      withdraws: { count: 1, first: [{ eventId: eventId(1), status: 'rolled_back' }] },
    });
    await apply([rollback(4, 'a', [3])]);
    expect((await trace(1)).withdrawnBy).toMatchObject([{ eventId: eventId(3), isStanding: false }]);
    expect((await trace(3)).withdrawnBy).toMatchObject([{ eventId: eventId(4), isStanding: true }]);
  });

  test('that was refused names what stands in the way, and what to ask for instead', async () => {
    await apply([
      cud(0, 'create', 'a', { name: 'A' }),
      cud(1, 'update', 'a', { age: 1 }),
      rollback(2, 'a', [0]),
    ]);
    const story = await trace(2);
    expect(story).toMatchObject({
      status: 'refused',
      error: { code: 'WOULD_INVALIDATE', detail: { events: [eventId(1)] } },
      rollback: { targets: [eventId(0)], withdraws: null },
    });
    expect(commandsOf(story)).toEqual([`user-events rollback --event-id ${eventId(0)} --cascade --dry-run`]);
  });

  test('that drift kept from being executed shows what the ledger says and what the table has', async () => {
    await apply([cud(0, 'create', 'a', { name: 'A', age: 1 })], [cud(1, 'update', 'a', { age: 2 })]);
    await database().pool.query(`update public.users set name = 'by hand', age = 9`);
    await apply([rollback(2, 'a', [1]), cud(3, 'update', 'a', { age: 3 })]);
    const story = await trace(2);
    expect(story).toMatchObject({ status: 'failed', error: { code: 'DRIFT' }, row: { kind: 'drift' } });
    expect(changesOf(story)).toEqual(['name: "A" → "by hand"', 'age: 2 → 9']);
    expect(story.parked.count).toBe(1);
    expect(commandsOf(story)).toContain(`user-events retry ${eventId(2)} --force`);
    const parked = await trace(3);
    expect(parked).toMatchObject({ status: 'parked', blockedBy: { eventId: eventId(2), code: 'DRIFT' } });
    expect(commandsOf(parked)).toEqual([`user-events trace ${eventId(2)}`]);
  });
});

describe('the time line of a user', () => {
  test('has the newest events with why, what waits, and what withdrew', async () => {
    await apply(
      [
        cud(0, 'create', 'a', { name: 'A', age: 1 }),
        cud(1, 'update', 'a', { name: 'B' }),
        rollback(2, 'a', [1]),
      ],
      [cud(3, 'create', 'a', {}), cud(4, 'update', 'a', { age: 3 }), cud(5, 'create', 'other', {})],
    );
    const timeline = await traceUser(database(), 'a', 4, null);
    expect(timeline).toMatchObject({
      userId: 'a',
      older: 1,
      statuses: { applied: 2, rolled_back: 1, failed: 1, parked: 1 },
      events: [
        {
          offset: 1n,
          status: 'rolled_back',
          fields: ['name'],
          withdrawnBy: [eventId(2)],
          change: {
            kind: 'gone',
            fields: [{ field: 'name', before: { text: '"A"' }, after: { text: '"B"' }, isChanged: true }],
          },
          decisions: {
            count: 1,
            newest: [{ cause: 'rollback', causedBy: eventId(2), operator: 'tester', reason: 'test' }],
          },
        },
        {
          offset: 2n,
          operation: 'rollback',
          withdraws: [eventId(1)],
          operator: 'tester',
          reason: 'test',
          fields: [],
          change: null,
        },
        { offset: 3n, status: 'failed', error: { code: 'USER_EXISTS' }, parked: 1 },
        {
          offset: 4n,
          status: 'parked',
          blockedBy: eventId(3),
          timestamp: '2026-01-01T00:00:04.000Z',
          change: {
            kind: 'would',
            source: 'table',
            isThere: { before: true, after: true },
            fields: [{ field: 'age', before: { text: '1' }, after: { text: '3' } }],
          },
          decisions: { count: 0, newest: [] },
        },
      ],
    });
  });

  test('ends with EVENT_NOT_FOUND where the ledger has none', async () => {
    await expect(traceUser(database(), 'nobody', 10, null)).rejects.toMatchObject({
      code: 'EVENT_NOT_FOUND',
    });
  });
});
