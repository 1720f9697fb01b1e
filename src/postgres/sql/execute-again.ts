import type { Decision } from '../../domain/fold.ts';
import type { UserWrite } from '../../domain/row-change.ts';
import type { UsersTable } from '../../domain/users-table.ts';
import { int8ArrayOfNumbers, jsonArray, textArray, uuidArray } from '../binary-array.ts';
import type { Queryable } from '../pool.ts';
import { quoteIdentifier, statementName } from '../sql-text.ts';
import { rareText } from './rare-columns.ts';
import { userWritesSql } from './user-writes.ts';

/** Executes events that the ledger has already: writes users, and their rows of the ledger with new images. */
export interface ExecuteAgain {
  readonly text: string;
  run(db: Queryable, decisions: readonly Decision[], writes: readonly UserWrite[]): Promise<void>;
}

/**
 * The batch statement's sibling for events that are executed again (rollback, retry, release of parked ones). Runs in
 * the caller's transaction, which holds the position; verifies existence like the batch statement (UE002, UE003).
 */
export function executeAgain(schema: string, table: UsersTable): ExecuteAgain {
  const users = userWritesSql(table);
  const own = ['uuid[]', 'text[]', 'text[]', 'int8[]', 'json[]'];
  const arrays = [...own, ...users.parameterTypes].map((type, index) => `$${String(index + 1)}::${type}`);
  const refuse = `${quoteIdentifier(schema)}.refuse`;
  const text = `with batch as materialized (
    select b.*, u.tid, u.before
    from unnest(${arrays.join(', ')}) as b(event_id, user_id, status, published_ms, rare, ${users.columnNames})
    ${users.join}),
  relabelled as (
    update ${quoteIdentifier(schema)}.ledger l set status = b.status, decided_at = now(),
      attempts = l.attempts + case when b.status = 'parked' then 0 else 1 end,
      before = case when b.status = 'applied' then b.before end,
      before_exists = case when b.status = 'applied' and b.action is not null then b.tid is not null end,
      blocked_by = (b.rare->>'blockedBy')::uuid, error_code = b.rare->>'code', sqlstate = b.rare->>'sqlState',
      error_message = b.rare->>'message', error_detail = b.rare->'detail'
    from batch b where l.event_id = b.event_id),
  ${users.writes}
  select case when s.is_stale then ${refuse}('UE002', 'a user was created or deleted meanwhile')
    when ${users.isUnwritten} then ${refuse}('UE003', 'a trigger or policy kept a row from being written')
    end from (select ${users.summary} from batch) s`;

  const name = statementName('execute-again', text);
  async function run(
    db: Queryable,
    decisions: readonly Decision[],
    writes: readonly UserWrite[],
  ): Promise<void> {
    const values = [
      uuidArray(decisions.map(({ eventId }) => eventId)),
      textArray(decisions.map(({ event }) => event.userId)),
      textArray(decisions.map(({ status }) => status)),
      int8ArrayOfNumbers(decisions.map(({ event }) => event.timestamp)),
      jsonArray(decisions.map((decision) => rareText(decision))),
      ...users.parameters(decisions.length, writes),
    ];
    await db.query({ name, text, values });
  }
  return { text, run };
}
