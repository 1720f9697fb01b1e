import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { JsonObject } from '../../src/domain/event.ts';
import type { NewRecord } from '../../src/domain/record.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import {
  startConsumer,
  userRecord,
  waitUntilDecided,
  type InProcessConsumer,
} from '../support/consumer-harness.ts';
import { describeEachLog } from '../support/each-log.ts';
import { brokenGuarantees, committedBeyond } from '../support/invariants.ts';
import type { TestDatabase } from '../support/test-database.ts';

jest.setTimeout(120_000);

/** A users table with every kind of rule that PostgreSQL knows. */
const TABLE = `
  drop table if exists public.users, public.teams cascade;
  drop domain if exists public.rank;
  create domain public.rank as int check (value between 1 and 9);
  create table public.teams (team int primary key);
  insert into public.teams values (1);
  create table public.users (
    user_id text primary key, name text, email text unique, age int check (age >= 0), code varchar(4),
    born date, rank public.rank, needed text not null default 'x', slot int4range, nick text, mentor int, balance numeric(5, 2),
    ok bool, team int references public.teams,
    loud text generated always as (upper(name)) stored,
    exclude using gist (slot with &&),
    unique (nick) deferrable initially deferred,
    foreign key (mentor) references public.teams deferrable initially deferred);
  create or replace function public.meddle() returns trigger language plpgsql as $$ begin
    case new.name
      when 'raise' then raise exception 'no such name';
      when 'assert' then assert false, 'it is so';
      when 'prerequisite' then raise exception using errcode = '55000', message = 'not yet';
      when 'own' then raise exception using errcode = 'U0001', message = 'our rule';
      when 'zero' then new.age := 1 / 0;
      when 'ghost' then return null;
      else
    end case;
    return new; end $$;
  create trigger meddle before insert or update on public.users for each row execute function public.meddle();
  insert into public.users (user_id, email, slot, nick) values ('owner', 'taken@x', '[1,5)', 'taken')`;

/** About what a broker takes unless it is told otherwise: 1 MiB with everything around it. */
const LARGEST = 900 << 10;
/** Random, so that it is not compressed away. */
const LARGE_TEXT = randomBytes((LARGEST * 3) / 4).toString('base64');

/** What the table refuses, by name: the fields, and how the ledger calls it. */
const REFUSED: Readonly<
  Record<string, readonly [fields: JsonObject, code: string, sqlState: string | null]>
> = {
  'null in a column that must not be null': [{ needed: null }, 'DATABASE_CONSTRAINT', '23502'],
  'a value that is taken': [{ email: 'taken@x' }, 'DATABASE_CONSTRAINT', '23505'],
  'a check': [{ age: -1 }, 'DATABASE_CONSTRAINT', '23514'],
  'a foreign key': [{ team: 7 }, 'DATABASE_CONSTRAINT', '23503'],
  'an exclusion': [{ slot: '[4,9)' }, 'DATABASE_CONSTRAINT', '23P01'],
  'a deferred unique constraint': [{ nick: 'taken' }, 'DATABASE_CONSTRAINT', '23505'],
  'a deferred foreign key': [{ mentor: 7 }, 'DATABASE_CONSTRAINT', '23503'],
  'a domain': [{ rank: 10 }, 'DATABASE_CONSTRAINT', '23514'],
  'a text too long': [{ code: 'abcde' }, 'DATABASE_VALUE', '22001'],
  'a text for a number': [{ age: 'old' }, 'DATABASE_VALUE', '22P02'],
  'a number too large': [{ age: 3_000_000_000 }, 'DATABASE_VALUE', '22003'],
  'too many digits': [{ balance: 12_345.5 }, 'DATABASE_VALUE', '22003'],
  'no date': [{ born: '2026-02-30' }, 'DATABASE_VALUE', '22008'],
  'a text for a boolean': [{ ok: 'perhaps' }, 'DATABASE_VALUE', '22P02'],
  'a value too large for its index': [{ email: LARGE_TEXT }, 'DATABASE_VALUE', '54000'],
  'a trigger that raises': [{ name: 'raise' }, 'DATABASE_TRIGGER', 'P0001'],
  'a trigger whose assertion fails': [{ name: 'assert' }, 'DATABASE_TRIGGER', 'P0004'],
  'a trigger that raises a state of the server': [{ name: 'prerequisite' }, 'DATABASE_TRIGGER', '55000'],
  'a trigger that raises a state of its own': [{ name: 'own' }, 'DATABASE_TRIGGER', 'U0001'],
  'a trigger that divides by zero': [{ name: 'zero' }, 'DATABASE_VALUE', '22012'],
  'a trigger that swallows the row': [{ name: 'ghost' }, 'DATABASE_TRIGGER', 'UE003'],
  'a field without a column': [{ shoeSize: 43 }, 'UNKNOWN_FIELD', null],
  'a column that the database computes': [{ loud: 'A' }, 'UNKNOWN_FIELD', null],
  'an object for a text': [{ name: { first: 'A' } }, 'WRONG_TYPE', null],
  'a NUL character': [{ name: 'a\0b' }, 'WRONG_TYPE', null],
  'half of a surrogate pair': [{ name: 'a\ud83d' }, 'UNREADABLE', null],
};

/** Values of which no user can be made. */
const UNREADABLE: Readonly<Record<string, Buffer>> = {
  'no JSON': Buffer.from('{"userId": '),
  'no object': Buffer.from('[1, 2]'),
  'no UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]),
  'another user id': Buffer.from('{"userId": "somebody else", "name": "A"}'),
  'nothing at all': Buffer.alloc(0),
  'a number that does not survive': Buffer.from('{"userId": "nobody", "age": 1e999}'),
};

describeEachLog('a poisoned log', (logs) => {
  let log: EventLog;
  let consumer: InProcessConsumer | undefined;
  const database = (): TestDatabase => logs.database();

  beforeEach(async () => {
    const { pool, schema } = database();
    await pool.query(TABLE);
    await pool.query(`truncate ${schema}.ledger, ${schema}.position, ${schema}.attempt, ${schema}.binding`);
    await pool.query(`insert into ${schema}.binding (rules, users_schema, users_table, key_column)
      values ('lenient', 'public', 'users', 'user_id')`);
    log = await logs.open(2);
  });
  afterEach(async () => {
    await consumer?.stop();
    consumer = undefined;
  });

  async function consumeAll(records: readonly NewRecord[], batchSize = 2_000): Promise<InProcessConsumer> {
    await log.append(records);
    consumer ??= startConsumer(log, database(), { batchSize });
    await waitUntilDecided(log, database(), consumer, 60_000);
    return consumer;
  }

  async function expectGuarantees({ group }: InProcessConsumer): Promise<void> {
    const { pool, schema } = database();
    const broken = await brokenGuarantees(pool, schema, ['name', 'email', 'age', 'code']);
    // The row that was there before the log.
    expect(broken).toEqual(['I1: user owner is there without an event']);
    expect(await committedBeyond(pool, schema, log, group)).toEqual([]);
  }

  async function outcomes(): Promise<Record<string, unknown>[]> {
    const { pool, schema } = database();
    const { rows } = await pool.query<Record<string, unknown>>(
      `select user_id as user, array_agg(status order by "offset") as statuses, max(error_code) as code,
         max(sqlstate) as state from ${schema}.ledger where user_id not like 'good%' group by 1 order by 1`,
    );
    return rows;
  }

  const expected = (): Record<string, unknown>[] =>
    [
      ...Object.entries(REFUSED).map(([user, [, code, state]]) => ({ user, code, state })),
      ...Object.keys(UNREADABLE).map((user) => ({ user, code: 'UNREADABLE', state: null })),
    ]
      .map(({ user, ...error }) => ({ user, statuses: ['applied', 'failed', 'parked'], ...error }))
      .toSorted((a, b) => (a.user < b.user ? -1 : 1));

  const poison = (operation: 'update' | 'put' = 'update'): NewRecord[] => [
    ...Object.entries(REFUSED).map(([user, [fields]]) => userRecord(operation, user, fields)),
    ...Object.entries(UNREADABLE).map(([user, value]) => ({ ...userRecord(operation, user), value })),
  ];
  const users = [...Object.keys(REFUSED), ...Object.keys(UNREADABLE)];

  test('of every kind fails each event with its class, parks its user, and hinders nobody else', async () => {
    const records = users.flatMap((user, at) => [
      userRecord('create', user, { name: 'A' }),
      userRecord('create', `good${String(at)}`, { name: 'G', age: at }),
    ]);
    await consumeAll(records);
    // Poison among good events in one batch, and what follows it in the next.
    await consumeAll(
      poison().flatMap((record, at) => [
        record,
        userRecord('update', `good${String(at)}`, {
          code: 'good',
          needed: at === 0 ? LARGE_TEXT : 'y',
        }),
      ]),
    );
    const running = await consumeAll(users.map((user) => userRecord('update', user, { code: 'late' })));
    expect(await outcomes()).toEqual(expected());
    await expectGuarantees(running);
    expect(await running.stop()).toMatchObject({
      failed: users.length,
      parked: users.length,
      applied: 3 * users.length,
    });
  });

  test('that is a whole batch of poison and nothing else is decided all the same', async () => {
    const running = await consumeAll(poison('put'));
    await consumeAll(users.map((user) => userRecord('update', user, { code: 'late' })));
    const { pool, schema } = database();
    const { rows } = await pool.query(`select status, count(*)::int as n from ${schema}.ledger group by 1`);
    expect(rows).toEqual(
      expect.arrayContaining([
        { status: 'failed', n: users.length },
        { status: 'parked', n: users.length },
      ]),
    );
    await expectGuarantees(running);
  });

  test('replayed as a whole, into other offsets and by other batches, changes nothing', async () => {
    const good = Array.from({ length: 300 }, (_, at) =>
      userRecord(at % 7 === 3 ? 'delete' : 'put', `good${String(at % 40)}`, at % 7 === 3 ? {} : { age: at }),
    );
    const records = [...users.map((user) => userRecord('create', user, { name: 'A' })), ...poison(), ...good];
    const running = await consumeAll(records);
    await consumeAll(users.map((user) => userRecord('update', user, { code: 'late' })));
    const { pool, schema } = database();
    const before = await pool.query('select * from public.users order by 1');
    const ledger = `select event_id, status, "offset" from ${schema}.ledger order by 1`;
    const decided = await pool.query(ledger);
    await running.stop();
    consumer = undefined;
    const again = await consumeReplay(records);
    expect((await pool.query('select * from public.users order by 1')).rows).toEqual(before.rows);
    expect((await pool.query(ledger)).rows).toEqual(decided.rows);
    await expectGuarantees(again);
    expect(await again.stop()).toMatchObject({
      applied: 0,
      failed: 0,
      parked: 0,
      duplicates: records.length,
    });
  });

  /** The same records once more, some of them in one partition only, by batches of another size. */
  async function consumeReplay(records: readonly NewRecord[]): Promise<InProcessConsumer> {
    const { pool, schema } = database();
    const { rows } = await pool.query<{ g: string }>(`select consumer_group as g from ${schema}.binding`);
    await log.append(records);
    consumer = startConsumer(log, database(), { batchSize: 17, group: rows[0]?.g ?? '' });
    await waitUntilDecided(log, database(), consumer);
    return consumer;
  }
});
