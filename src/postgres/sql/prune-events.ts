import type { BaseRow } from '../../domain/expected-row.ts';
import type { JsonObject } from '../../domain/event.ts';
import { boolArray, int8Array, jsonArray, textArray } from '../binary-array.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier } from '../sql-text.ts';
import type { UserRange } from './find-suspects.ts';

/** One user whose events can be pruned, up to and with the entry at (generation, offset). */
export interface Prunable {
  readonly userId: string;
  readonly generation: number;
  readonly offset: bigint;
  /** Events that there is something to empty of: rollback events stay as they are. */
  readonly events: number;
  /** The last of them. */
  readonly eventId: string;
}

/** Whether there is something of a ledger row `l` to empty. */
const IS_FULL =
  '(l.data is not null or l.raw is not null or l.before is not null or l.error_message is not null)';

/**
 * Finds what can be pruned of a range of users: of each the events decided on before `before`, as long as whatever is
 * applied behind them has an image of its own (a batch has one image a user, so a batch is pruned whole). Users with
 * something failed or parked are left alone. Reads the range once, by windows: what was joined to itself took minutes
 * where the planner expected one row. No locks.
 */
export async function findPrunable(
  db: Queryable,
  schema: string,
  range: UserRange,
  before: Date,
): Promise<readonly Prunable[]> {
  const name = quoteIdentifier(schema);
  const text = `with entry as (
      select l.event_id, l.user_id, l.generation, l."offset", l.before_exists, l.decided_at >= $3 as is_young,
        ${IS_FULL} and l.operation is distinct from 'rollback' as is_full,
        l.status = 'applied' and l.operation <> 'rollback' as is_applied,
        b.user_id is not null and (l.generation, l."offset") <= (b.generation, b."offset") as is_pruned,
        row_number() over (partition by l.user_id order by l.generation, l."offset") as n,
        bool_or(l.status in ('failed', 'parked')) over (partition by l.user_id) as is_open
      from ${name}.ledger l left join ${name}.base b on b.user_id = l.user_id
      where l.user_id is not null and ($1::text is null or l.user_id > $1) and ($2::text is null or l.user_id <= $2)),
    kept as (
      select *, coalesce(min(n) filter (where is_young) over w, max(n) over w + 1) as keep from entry
      where not is_open window w as (partition by user_id)),
    held as (
      select *, min(n) filter (where n >= keep and is_applied) over w as next_applied,
        max(n) filter (where n < keep and is_applied and before_exists is not null) over w as image_at
      from kept window w as (partition by user_id)),
    cut as (
      select *, case when next_applied is null or bool_or(n = next_applied and before_exists is not null) over w
        then keep - 1 else image_at - 1 end as upto
      from held window w as (partition by user_id))
    select user_id as "userId", (array_agg(event_id) filter (where n = upto))[1] as "eventId",
      max(generation) filter (where n = upto) as generation, max("offset") filter (where n = upto) as "offset",
      count(*) filter (where is_full)::int as events
    from cut where n <= upto group by user_id having bool_or(n = upto and not is_pruned)`;
  return (await db.query<Prunable>(text, [range.after, range.upTo, before])).rows;
}

/** The bases that pruning kept of users: what the pruned events made of the row. Absent where nothing was applied. */
export async function readBases(
  db: Queryable,
  schema: string,
  userIds: readonly string[],
): Promise<ReadonlyMap<string, BaseRow>> {
  const text = `select user_id, "exists", changes, extra from ${quoteIdentifier(schema)}.base
    where user_id = any ($1::text[]) and "exists" is not null`;
  const { rows } = await db.query<{
    user_id: string;
    exists: boolean;
    changes: JsonObject | null;
    extra: JsonObject | null;
  }>(text, [textArray(userIds)]);
  return new Map(
    rows.map(({ user_id, exists, changes, extra }) => [
      user_id,
      { exists, changes: changes ?? {}, extra: extra ?? {} },
    ]),
  );
}

export interface BaseToKeep extends Pick<Prunable, 'userId' | 'generation' | 'offset'> {
  /** Null: none of the pruned events is applied. */
  readonly base: BaseRow | null;
}

/**
 * Records up to where users are pruned, and empties those events: data, raw bytes, images, and the server's words on
 * errors, which quote values. Id, offset, user, operation, status and codes stay, so that replays and decisions stay
 * right; so do what rollback events say, unless `isAll`. Returns how many events were emptied. Locks their rows.
 */
export async function pruneEvents(
  db: Queryable,
  schema: string,
  users: readonly BaseToKeep[],
  isAll = false,
): Promise<number> {
  const name = quoteIdentifier(schema);
  const rows = [
    textArray(users.map(({ userId }) => userId)),
    users.map(({ generation }) => generation),
    int8Array(users.map(({ offset }) => offset)),
  ];
  await db.query(
    `insert into ${name}.base (user_id, generation, "offset", "exists", changes, extra)
      select * from unnest($1::text[], $2::int[], $3::int8[], $4::bool[], $5::json[], $6::json[])
      on conflict (user_id) do update set generation = excluded.generation, "offset" = excluded."offset",
        "exists" = excluded."exists", changes = excluded.changes, extra = excluded.extra, pruned_at = now()`,
    [
      ...rows,
      boolArray(users.map(({ base }) => base?.exists ?? null)),
      jsonArray(users.map(({ base }) => (base === null ? null : JSON.stringify(base.changes)))),
      jsonArray(users.map(({ base }) => (base === null ? null : JSON.stringify(base.extra)))),
    ],
  );
  const which = isAll ? '' : `and l.operation is distinct from 'rollback'`;
  const emptied = await db.query(
    `with emptied as (
        update ${name}.ledger l set data = null, raw = null, before = null, error_message = null, error_detail = null
        from unnest($1::text[], $2::int[], $3::int8[]) as p(user_id, generation, "offset")
        where l.user_id = p.user_id and (l.generation, l."offset") <= (p.generation, p."offset") ${which}
          and ${IS_FULL}
        returning l.event_id),
      quiet as (
        update ${name}.attempt a set error_message = null${isAll ? ', reason = null' : ''} from ${isAll ? `${name}.ledger` : 'emptied'} e
        where a.event_id = e.event_id ${isAll ? 'and e.user_id = any ($1::text[])' : ''}
          and (a.error_message is not null${isAll ? ' or a.reason is not null' : ''}))
      select from emptied`,
    rows,
  );
  return emptied.rowCount ?? 0;
}

/** What has no user and is settled (unreadable records that were skipped), decided on before $1, and is not empty yet. */
const USERLESS = "l.user_id is null and l.status <> 'failed' and l.decided_at < $1";

/** Counts what `pruneUserless` would empty. No locks. */
export async function countUserless(db: Queryable, schema: string, before: Date): Promise<number> {
  const text = `select count(*)::int as n from ${quoteIdentifier(schema)}.ledger l where ${USERLESS} and ${IS_FULL}`;
  return (await db.query<{ n: number }>(text, [before])).rows[0]?.n ?? 0;
}

/**
 * Empties at most `limit` rows of what has no user and is settled. Returns how many: fewer than `limit` where that was
 * the rest. Locks them; nobody else writes such a row.
 */
export async function pruneUserless(
  db: Queryable,
  schema: string,
  before: Date,
  limit: number,
): Promise<number> {
  const ledger = `${quoteIdentifier(schema)}.ledger`;
  const text = `update ${ledger} l set data = null, raw = null, before = null, error_message = null, error_detail = null
    where l.event_id in (select l.event_id from ${ledger} l where ${USERLESS} and ${IS_FULL} limit $2)`;
  return (await db.query(text, [before, limit])).rowCount ?? 0;
}
