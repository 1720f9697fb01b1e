/**
 * Session settings of the consumer's connections (BATCH.md, traps). Repeatable read: a join by ctid would silently miss
 * a row that somebody else changes at that moment. The planner settings keep the batch statement's generic plan right
 * while tables are empty and after they have grown: every batch is joined by index, never by a scan of the table.
 * And a consumer that was stopped (SIGSTOP) in mid-transaction does not hold its successor back for ever.
 */
export const CONSUMER_SESSION: Readonly<Record<string, string>> = {
  default_transaction_isolation: 'repeatable read',
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_material: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  jit: 'off',
  idle_in_transaction_session_timeout: '60s',
};
