import type { OutgoingCudEvent } from '../src/domain/envelope.ts';
import type { NewRecord } from '../src/domain/record.ts';
import { writeEnvelope } from '../src/domain/write-envelope.ts';

/** `ce_source` of what the soak publishes. */
export const SOURCE = '/soak';

/** What a producer of any quality may send: every class of error, and some that are none. */
export const POISON = [
  'bad JSON',
  'bad JSON without a key',
  'another userId than the key',
  'unknown type',
  'unknown field',
  'wrong type',
  'number out of range',
  'too long',
  'NUL',
  'lone surrogate',
  'large value',
  'constraint',
  'trigger',
  "trigger's own state",
  'id used twice',
  'foreign record',
  'tombstone',
  'random bytes',
] as const;
export type Poison = (typeof POISON)[number];

export interface PoisonRequest {
  readonly userId: string;
  readonly newId: () => string;
  /** An id that another event of this user has. */
  readonly usedId: string | null;
  /** A whole number from 0 to below the limit. */
  readonly below: (limit: number) => number;
}

/** A record that is refused, or at least unusual. The users table has to be the one of `USERS_TABLE`. */
export function poisonRecord(kind: Poison, { userId, newId, usedId, below }: PoisonRequest): NewRecord {
  const key = Buffer.from(userId);
  const put = (fields: OutgoingCudEvent['fields'], eventId = newId()): NewRecord =>
    writeEnvelope({ kind: 'cud', operation: 'put', eventId, userId, fields }, SOURCE);
  const withValue = (text: string): NewRecord => ({ ...put({}), value: Buffer.from(text) });
  const bytes = (most: number): Buffer =>
    Buffer.from(Array.from({ length: 1 + below(most) }, () => below(256)));
  switch (kind) {
    case 'bad JSON':
      return withValue(`{"userId":"${userId}",`);
    case 'bad JSON without a key':
      return { ...withValue('nonsense'), key: null };
    case 'another userId than the key':
      return withValue('{"userId":"somebody else","name":"x"}');
    case 'unknown type': {
      const { headers, ...rest } = put({});
      const type = { key: 'ce_type', value: Buffer.from('user.exploded') };
      return { ...rest, headers: headers.map((header) => (header.key === 'ce_type' ? type : header)) };
    }
    case 'unknown field':
      return put({ nickname: 'nobody has such a column' });
    case 'wrong type':
      return put({ age: 'old' });
    case 'number out of range':
      return withValue(`{"userId":"${userId}","age":12345678901234567890}`);
    case 'too long':
      return put({ name: 'n'.repeat(61 + below(200)) });
    case 'NUL':
      return put({ name: 'a\0b' });
    case 'lone surrogate':
      return withValue(`{"userId":"${userId}","name":"\\ud800"}`);
    case 'large value':
      return put({ note: 'x'.repeat(below(8) === 0 ? 900_000 : 50_000) });
    case 'constraint':
      return put({ email: 'without an at' });
    case 'trigger':
      return put({ name: 'raise' });
    case "trigger's own state":
      return put({ name: 'raise 99U01' });
    case 'id used twice':
      return put({ name: `another ${String(below(1e6))}` }, usedId ?? newId());
    case 'foreign record':
      return { key, value: Buffer.from(JSON.stringify({ userId, name: 'foreign' })), headers: [] };
    case 'tombstone':
      return {
        ...writeEnvelope({ kind: 'cud', operation: 'delete', eventId: newId(), userId, fields: {} }, SOURCE),
        value: null,
      };
    case 'random bytes':
      return { key: bytes(8), value: bytes(64), headers: [{ key: 'ce_type', value: bytes(8) }] };
  }
}

/** The service's own table, which refuses what `poisonRecord` makes for it. */
export const USERS_TABLE = `
  create table public.users (
    user_id text primary key, name varchar(60), email text check (email like '%@%'), age int, note text);
  create function public.no_such_name() returns trigger language plpgsql as $$
    begin
      if new.name = 'raise' then raise exception 'this name is refused'; end if;
      if new.name = 'raise 99U01' then raise exception 'this name is refused' using errcode = '99U01'; end if;
      return new;
    end $$;
  create trigger no_such_name before insert or update on public.users
    for each row execute function public.no_such_name()`;
