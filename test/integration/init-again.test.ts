import { describe, expect, test } from '@jest/globals';
import { readBinding } from '../../src/postgres/sql/read-binding.ts';
import { useInitHarness } from '../support/init-harness.ts';

const { database, init, query, postgresLog } = useInitHarness();

describe('a schema that is set up', () => {
  test.each([
    [{ rules: 'lenient' as const }, 'with rules strict, not lenient'],
    [{ table: { schema: 'app', name: 'users' } }, 'with schema of the table public, not app'],
    [{ table: { schema: 'public', name: 'members' } }, 'with table users, not members'],
    [{ keyColumn: 'id' }, 'with key column user_id, not id'],
    [{ extraColumn: 'more' }, 'with extra column attributes, not more'],
    [{ createdColumn: 'born' }, 'with created column created_at, not born'],
  ])('and was consumed into is BINDING_MISMATCH for %j', async (request, message) => {
    await init('fresh');
    await query('update fresh.binding set bound_at = now()');
    await expect(init('fresh', request)).rejects.toMatchObject({
      code: 'BINDING_MISMATCH',
      message: `The schema fresh is set up ${message}`,
    });
  });

  test('is corrected as long as nothing was consumed: by what is said, the rest stays or is chosen anew', async () => {
    await query(
      'create schema app; create table app.members (id int8 primary key, name text, born timestamptz)',
    );
    await init('fresh');
    expect(await init('fresh', { rules: 'lenient' })).toMatchObject({
      isChanged: true,
      table: 'public.users',
      rules: 'lenient',
      extraColumn: 'attributes',
    });
    expect(
      await init('fresh', { table: { schema: 'app', name: 'members' }, createdColumn: 'born' }),
    ).toMatchObject({
      isChanged: true,
      table: 'app.members',
      keyColumn: 'id',
      rules: 'lenient',
      extraColumn: null,
    });
    expect(await readBinding(database().pool, 'fresh')).toMatchObject({
      usersSchema: 'app',
      usersTable: 'members',
      keyColumn: 'id',
      extraColumn: null,
      createdColumn: 'born',
      updatedColumn: null,
    });
    expect(await init('fresh')).toMatchObject({ isChanged: false, table: 'app.members' });
    await expect(init('fresh', { extraColumn: 'name' })).rejects.toMatchObject({
      code: 'USERS_TABLE_INVALID',
    });
    expect(await init('fresh')).toMatchObject({ extraColumn: null });
  });

  test('and consumes from a topic is BINDING_MISMATCH for another one', async () => {
    await init('fresh');
    await query("update fresh.binding set topic = 'orders', bound_at = now()");
    await expect(init('fresh')).rejects.toMatchObject({ code: 'BINDING_MISMATCH' });
    await expect(init('fresh', { topic: 'orders' }, () => postgresLog('orders'))).resolves.toMatchObject({
      topic: 'orders',
    });
  });

  test('accepts what it was set up with, said again', async () => {
    const said = {
      rules: 'strict',
      table: { schema: 'public', name: 'users' },
      keyColumn: 'user_id',
      extraColumn: 'attributes',
    } as const;
    await init('fresh');
    await expect(init('fresh', said)).resolves.toMatchObject({ tableCreated: false });
  });
});
