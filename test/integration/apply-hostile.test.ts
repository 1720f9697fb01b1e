import { beforeEach, describe, expect, test } from '@jest/globals';
import type { UnreadableEvent } from '../../src/domain/event.ts';
import { readEnvelope } from '../../src/domain/read-envelope.ts';
import {
  cud,
  openApplier,
  prepareUsers,
  readLedger,
  readStatuses,
  readUsers,
  rollback,
} from '../support/apply-harness.ts';
import { useTestDatabase } from '../support/test-database.ts';

const database = useTestDatabase();
beforeEach(async () => {
  const { pool, schema } = database();
  await pool.query('drop table if exists public.users cascade');
  await prepareUsers(database());
  await pool.query(`truncate ${schema}.ledger, ${schema}.position, ${schema}.attempt`);
});

const said = (): Promise<string[]> => readStatuses(database());

/** A trigger on the users table that runs `body` for each row. */
async function addTrigger(event: string, body: string): Promise<void> {
  const { pool } = database();
  await pool.query(
    `create or replace function public.meddle() returns trigger language plpgsql as $$ begin ${body} end $$`,
  );
  await pool.query(
    `create trigger meddle before ${event} on public.users for each row execute function public.meddle()`,
  );
}

describe('what a producer can get wrong', () => {
  test('a timestamp that no database holds fails the event, and the next one goes on', async () => {
    const envelope = {
      clusterId: 'c',
      topic: 't',
      keyType: 'text',
      ignoreTypes: new Set<string>(),
      mapTypes: new Map<string, never>(),
    } as const;
    const value = Buffer.from('{"userId":"a","name":"A"}');
    const record = { partition: 0, offset: 0n, timestamp: 1.7e18, key: Buffer.from('a'), value, headers: [] };
    const applier = await openApplier(database());
    await applier.apply([readEnvelope(record, envelope), cud(1, 'create', 'b', { name: 'B' })], 2n);
    expect(await said()).toEqual(['failed UNREADABLE', 'applied']);
  });

  test('one id for rollbacks of two users: the second is refused', async () => {
    const applier = await openApplier(database());
    await applier.apply([cud(0, 'create', 'a'), cud(1, 'create', 'b')], 2n);
    const first = rollback(2, 'a', [0]);
    const second = { ...rollback(3, 'b', [1]), eventId: first.eventId };
    await applier.apply([first, second], 4n);
    expect(await said()).toEqual(['rolled_back', 'applied', 'applied', 'refused EVENT_ID_REUSED']);
  });

  test('one id for three events: the redelivered one is a duplicate however the batch is cut', async () => {
    const first = cud(0, 'create', 'a', { name: 'A' });
    const other = { ...cud(0, 'create', 'b', { name: 'B' }), offset: 1n };
    const again = { ...first, offset: 2n };
    await (await openApplier(database())).apply([first, other, again], 3n);
    expect(await said()).toEqual(['applied', 'failed EVENT_ID_REUSED']);
  });

  test('one id for two unreadable records is no duplicate', async () => {
    const bad = (offset: number, text: string): UnreadableEvent => {
      const { fields: _fields, operation: _operation, ...head } = cud(0, 'put', 'a');
      return {
        ...head,
        kind: 'unreadable',
        offset: BigInt(offset),
        userId: 'a',
        code: 'UNREADABLE',
        reason: 'no JSON',
        value: Buffer.from(text),
      };
    };
    const applier = await openApplier(database());
    await applier.apply([bad(0, '{one'.repeat(40))], 1n);
    await applier.apply([bad(1, '{one'.repeat(40)), bad(2, '{two')], 3n);
    expect((await readLedger(database())).map(({ offset, code }) => [offset, code])).toEqual([
      [0, 'UNREADABLE'],
      [2, 'EVENT_ID_REUSED'],
    ]);
  });

  test('an unreadable record of a user who exists fails, also in a batch whose facts are read', async () => {
    const applier = await openApplier(database());
    await applier.apply([cud(0, 'create', 'a', { name: 'A' })], 1n);
    const { fields: _fields, operation: _operation, ...head } = cud(2, 'put', 'a');
    const bad: UnreadableEvent = { ...head, kind: 'unreadable', code: 'UNREADABLE', reason: 'no JSON' };
    await applier.apply(
      [cud(1, 'update', 'ghost', { name: 'G' }), bad, cud(3, 'update', 'a', { age: 1 })],
      4n,
    );
    expect(await said()).toEqual(['applied', 'failed USER_NOT_FOUND', 'failed UNREADABLE', 'parked']);
  });

  test('a field name with a NUL character is an unknown field', async () => {
    await database().pool.query('alter table public.users drop column attributes');
    await database().pool.query(`update ${database().schema}.binding set extra_column = null`);
    try {
      await (await openApplier(database())).apply([cud(0, 'create', 'a', { 'x\0y': 1 })], 1n);
      expect(await said()).toEqual(['failed UNKNOWN_FIELD']);
    } finally {
      await database().pool.query(`update ${database().schema}.binding set extra_column = 'attributes'`);
    }
  });
});

describe('a users table with a mind of its own', () => {
  test('a trigger that changes keys fails the event whose key is taken, and nothing loops', async () => {
    await addTrigger('insert', 'new.user_id := lower(new.user_id); return new;');
    await (
      await openApplier(database())
    ).apply([cud(0, 'create', 'u1'), cud(1, 'create', 'U1'), cud(2, 'create', 'b')], 3n);
    expect(await said()).toEqual(['applied', 'failed DATABASE_CONSTRAINT', 'applied']);
  });

  test('a trigger that swallows writes fails the event', async () => {
    await addTrigger('insert', `if new.name = 'ghost' then return null; end if; return new;`);
    await (
      await openApplier(database())
    ).apply([cud(0, 'create', 'a', { name: 'ghost' }), cud(1, 'create', 'b')], 2n);
    expect(await said()).toEqual(['failed DATABASE_TRIGGER', 'applied']);
  });

  test('a trigger that swallows deletes fails the rollback of a create', async () => {
    await addTrigger('delete', 'return null;');
    const applier = await openApplier(database());
    await applier.apply([cud(0, 'create', 'a'), rollback(1, 'a', [0])], 2n);
    expect(await said()).toEqual(['applied', 'failed DATABASE_TRIGGER']);
    expect(Object.keys(await readUsers(database()))).toEqual(['a']);
  });

  test('a trigger that stamps a column which no event carries is no drift', async () => {
    await database().pool.query('alter table public.users add column touched int default 0');
    await addTrigger('update', 'new.touched := coalesce(old.touched, 0) + 1; return new;');
    const applier = await openApplier(database());
    await applier.apply([cud(0, 'create', 'a', { name: 'A' })], 1n);
    await applier.apply([cud(1, 'update', 'a', { name: 'B' })], 2n);
    await applier.apply([rollback(2, 'a', [1])], 3n);
    expect(await said()).toEqual(['applied', 'rolled_back', 'applied']);
    expect((await readUsers(database()))['a']).toMatchObject({ name: 'A' });
  });

  test('a column added after the events changes nothing about rolling them back', async () => {
    const applier = await openApplier(database());
    await applier.apply([cud(0, 'create', 'a', { name: 'A' }), cud(1, 'create', 'b', { name: 'B' })], 2n);
    await applier.apply([cud(2, 'update', 'a', { name: 'AA' }), cud(3, 'delete', 'b')], 4n);
    await database().pool.query(`alter table public.users add column plan text not null default 'free'`);
    const later = await openApplier(database());
    await later.apply([rollback(4, 'a', [2]), rollback(5, 'b', [3])], 6n);
    expect(await said()).toEqual(['applied', 'applied', 'rolled_back', 'rolled_back', 'applied', 'applied']);
    expect(await readUsers(database())).toMatchObject({
      a: { name: 'A', plan: 'free' },
      b: { name: 'B', plan: 'free' },
    });
  });

  test('a row that its service makes by itself turns a predicted insert into an update', async () => {
    const { pool } = database();
    const applier = await openApplier(database());
    await pool.query(`insert into public.users (user_id, name) values ('p', 'by hand')`);
    await applier.apply(
      [cud(0, 'put', 'p', { name: 'P' }), cud(1, 'create', 'x', { name: 'bad' }), cud(2, 'create', 'p')],
      3n,
    );
    expect(await said()).toEqual(['applied', 'failed DATABASE_CONSTRAINT', 'failed USER_EXISTS']);
  });

  test('a trigger that raises a SQLSTATE of its own fails the event, not the consumer', async () => {
    await addTrigger(
      'insert',
      `if new.name = 'no' then raise exception using errcode = 'U0001', message = 'not here'; end if; return new;`,
    );
    await (
      await openApplier(database())
    ).apply([cud(0, 'create', 'a', { name: 'no' }), cud(1, 'create', 'b')], 2n);
    expect(await said()).toEqual(['failed DATABASE_TRIGGER', 'applied']);
  });
});
