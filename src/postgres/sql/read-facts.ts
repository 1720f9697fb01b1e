import type { Facts, UserFacts } from '../../domain/fold.ts';
import type { KnownEvent } from '../../domain/sameness.ts';
import type { UsersTable } from '../../domain/users-table.ts';
import { textArray, uuidArray } from '../binary-array.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier, statementName } from '../sql-text.ts';
import type { Claim } from './apply-batch.ts';

/** Facts, and the position in the same snapshot: facts count only with the revision they were read at. */
export interface FactsAt {
  readonly facts: Facts;
  readonly position: Pick<Claim, 'epoch' | 'nextOffset' | 'revision'> | null;
}

interface FactsRow {
  readonly epoch: bigint | null;
  readonly next_offset: bigint | null;
  readonly revision: bigint | null;
  readonly existing: string[] | null;
  readonly blocked: { user_id: string; event_id: string }[] | null;
  readonly known:
    { event_id: string; user_id: string | null; operation: string | null; data: string | null }[] | null;
}

export type ReadFacts = (
  db: Queryable,
  partition: number,
  /** Users whose rows are looked up: ids in the key's canonical text. */
  userIds: readonly string[],
  /** Users who may be blocked: also those of keys that no row can have. */
  blockable: readonly string[],
  eventIds: readonly string[],
) => Promise<FactsAt>;

/** Reads what the fold must know of a batch's users and ids, in one statement. Takes no locks. */
export function readFacts(schema: string, table: UsersTable): ReadFacts {
  const ledger = `${quoteIdentifier(schema)}.ledger`;
  const key = quoteIdentifier(table.keyColumn);
  const text = `select p.epoch, p.next_offset, p.revision,
    (select array_agg(t.${key}::text) from ${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)} t
      where t.${key} = any ($2::${table.keyType}[])) as existing,
    (select json_agg(b) from (
      select distinct on (l.user_id) l.user_id, l.event_id from ${ledger} l
      where l.user_id = any ($3::text[]) and l.status in ('failed', 'parked')
      order by l.user_id, (l.status = 'failed') desc, l.generation, l."offset") b) as blocked,
    (select json_agg(k) from (
      select l.event_id, l.user_id, l.operation, coalesce(l.data::text, translate(encode(l.raw, 'base64'), E'\\n', '')) as data from ${ledger} l
      where l.event_id = any ($4::uuid[])) k) as known
    from (select) one left join ${quoteIdentifier(schema)}.position p on p.partition = $1`;

  const name = statementName('read-facts', text);
  return async (db, partition, userIds, blockable, eventIds) => {
    const values = [partition, userIds, textArray(blockable), uuidArray(eventIds)];
    const { rows } = await db.query<FactsRow>({ name, text, values });
    const row = rows[0];
    const users = new Map<string, UserFacts>();
    const events = new Map<string, KnownEvent>();
    if (row === undefined) return { facts: { areRead: true, users, events }, position: null };
    for (const userId of row.existing ?? []) users.set(userId, { exists: true, blockedBy: null });
    for (const { user_id, event_id } of row.blocked ?? []) {
      users.set(user_id, { exists: users.has(user_id), blockedBy: event_id });
    }
    for (const { event_id, ...known } of row.known ?? []) {
      events.set(event_id, { userId: known.user_id, operation: known.operation, data: known.data });
    }
    const { epoch, next_offset: nextOffset, revision } = row;
    const isThere = epoch !== null && nextOffset !== null && revision !== null;
    const position = isThere ? { epoch, nextOffset, revision } : null;
    return { facts: { areRead: true, users, events }, position };
  };
}
