import type { Decision } from '../../domain/fold.ts';
import { operationOf } from '../../domain/sameness.ts';
import type { UserWrite } from '../../domain/row-change.ts';
import type { UsersTable } from '../../domain/users-table.ts';
import { int8Array, int8ArrayOfNumbers, jsonArray, textArray, uuidArray } from '../binary-array.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier, statementName } from '../sql-text.ts';
import { rareText } from './rare-columns.ts';
import { userWritesSql, type UserWritesSql } from './user-writes.ts';

/** Where a consumer stands in one partition: what the batch statement claims against. */
export interface Claim {
  readonly partition: number;
  readonly epoch: bigint;
  readonly revision: bigint;
  readonly generation: number;
  readonly nextOffset: bigint;
}

export interface Batch {
  readonly decisions: readonly Decision[];
  readonly writes: readonly UserWrite[];
  readonly duplicates: number;
  /** The position after the batch. */
  readonly nextOffset: bigint;
}

export interface ApplyBatch {
  readonly text: string;
  /** The values of its parameters: seven that claim, then one array a column. */
  parameters(claim: Claim, batch: Batch): unknown[];
  /**
   * THE statement: claims [nextOffset, batch.nextOffset) by compare-and-swap, verifies what the fold assumed, writes
   * ledger and users. One transaction by itself. Throws the server's error with SQLSTATE UE001 (position, epoch or
   * revision moved: no right to go on), UE002 (a fact is stale), UE003 (a row was silently not written), 23505 on
   * `ledger_event_id` (an event is known), or the user's own constraint. Nothing is kept of a refused batch.
   */
  run(db: Queryable, claim: Claim, batch: Batch): Promise<void>;
}

/** Builds the statement for one users table and ledger schema. Text is static, so it is prepared once a connection. */
export function applyBatch(schema: string, table: UsersTable): ApplyBatch {
  const users = userWritesSql(table);
  const text = statement(schema, users);
  const name = statementName('apply-batch', text);

  function parameters(claim: Claim, batch: Batch): unknown[] {
    const { decisions } = batch;
    return [
      claim.partition,
      claim.epoch,
      claim.nextOffset,
      claim.revision,
      batch.nextOffset,
      claim.generation,
      batch.duplicates,
      int8Array(decisions.map(({ event }) => event.offset)),
      uuidArray(decisions.map(({ eventId }) => eventId)),
      textArray(decisions.map(({ event }) => event.userId)),
      textArray(decisions.map(({ event }) => operationOf(event))),
      textArray(decisions.map(({ status }) => status)),
      int8ArrayOfNumbers(decisions.map(({ event }) => event.timestamp)),
      jsonArray(decisions.map(({ event }) => (event.kind === 'cud' ? event.value : null))),
      jsonArray(decisions.map((decision) => rareText(decision))),
      ...users.parameters(decisions.length, batch.writes),
    ];
  }

  async function run(db: Queryable, claim: Claim, batch: Batch): Promise<void> {
    await db.query({ name, text, values: parameters(claim, batch) });
  }
  return { text, parameters, run };
}

function statement(schema: string, users: UserWritesSql): string {
  const name = quoteIdentifier(schema);
  const ledger = `${name}.ledger`;
  const own = ['int8[]', 'uuid[]', 'text[]', 'text[]', 'text[]', 'int8[]', 'json[]', 'json[]'];
  const arrays = [...own, ...users.parameterTypes].map((type, index) => `$${String(index + 8)}::${type}`);
  return `with claimed as (
    update ${name}.position
    set next_offset = $5, duplicates = duplicates + $7, updated_at = now()
    where partition = $1 and epoch = $2 and next_offset = $3 and revision = $4 returning 1),
  batch as materialized (
    select b.*, u.tid, u.before
    from unnest(${arrays.join(', ')})
      as b("offset", event_id, user_id, operation, status, published_ms, data, rare, ${users.columnNames})
    ${users.join}),
  ledgered as (
    insert into ${ledger} (event_id, generation, partition, "offset", user_id, operation, status, published_at, data,
      before, before_exists, ce_id, raw, blocked_by, error_code, sqlstate, error_message, error_detail)
    select event_id, $6, $1, "offset", user_id, operation, status, to_timestamp(published_ms / 1000.0), data,
      case when status = 'applied' then before end,
      case when status = 'applied' and action is not null then tid is not null end,
      rare->>'ceId', decode(rare->>'raw', 'base64'), (rare->>'blockedBy')::uuid, rare->>'code', rare->>'sqlState',
      rare->>'message', rare->'detail'
    from batch),
  ${users.writes}
  select case
    when not exists (select from claimed) then ${name}.refuse('UE001', 'the position moved')
    when s.is_stale then ${name}.refuse('UE002', 'a user was created or deleted meanwhile')
    when exists (select from batch b cross join lateral (
        select from ${ledger} l where l.user_id = b.user_id and l.status in ('failed', 'parked') limit 1) l
      where b.action is not null) then ${name}.refuse('UE002', 'a user is blocked')
    when ${users.isUnwritten} then ${name}.refuse('UE003', 'a trigger or policy kept a row from being written')
    end from (select ${users.summary} from batch) s`;
}
