-- The tables of one consumer group (DESIGN 8). Runs with search_path set to the group's schema.
-- Up Migration

-- One row: what belongs together. Written by `init`; cluster, topic, partition count and group at the first `consume`.
create table binding (
  only_row boolean primary key default true constraint binding_one_row check (only_row),
  schema_id uuid not null default gen_random_uuid(),
  rules text not null constraint binding_rules check (rules in ('strict', 'lenient')),
  users_schema text not null,
  users_table text not null,
  key_column text not null,
  extra_column text,
  created_column text,
  updated_column text,
  cluster_id text,
  topic text,
  partition_count int,
  consumer_group text,
  generation int not null default 0,
  bound_at timestamptz
);

-- One row a partition: the truth about how far this group has decided. Moved by compare-and-swap only.
create table position (
  partition int primary key,
  next_offset bigint not null,
  start_offset bigint not null,
  -- Raised at every assignment: a consumer with an older epoch may write no more.
  epoch bigint not null default 0,
  -- Raised by every other writer of the ledger: a consumer beside it drops the facts it had read.
  revision bigint not null default 0,
  generation int not null default 0,
  duplicates bigint not null default 0,
  updated_at timestamptz not null default now()
) with (fillfactor = 10);

-- One row for every event decided on. `data` and `before` are json, not jsonb: kept as written, a quarter cheaper.
create table ledger (
  event_id uuid not null,
  generation int not null,
  partition int not null,
  "offset" bigint not null,
  -- Null where the record has no usable key.
  user_id text,
  -- Null where the record cannot be read, or is of an ignored type.
  operation text,
  status text not null
    constraint ledger_status check (status in ('applied', 'failed', 'parked', 'rolled_back', 'skipped', 'refused')),
  published_at timestamptz not null,
  decided_at timestamptz not null default now(),
  attempts int not null default 1,
  -- The id as the producer wrote it, where it is not the UUID itself.
  ce_id text,
  data json,
  -- The value's bytes, where they are not JSON that can be kept in `data`.
  raw bytea,
  -- The row before the event. before_exists: true = `before` is the row, false = there was none,
  -- null = not kept: it follows from the user's nearest earlier event that has it (one image a user and batch).
  before json,
  before_exists boolean,
  -- The event that holds this one back, for `parked`.
  blocked_by uuid,
  error_code text,
  sqlstate text,
  error_message text,
  error_detail json,
  -- What an accepted rollback withdraws; null for every other row.
  withdraws uuid[],
  constraint ledger_event_id primary key (event_id),
  constraint ledger_offset unique (generation, partition, "offset")
);
-- A user's history, in order: rollback, trace, users get --history.
create index ledger_user on ledger (user_id, generation, "offset");
-- What blocks or waits: read for every batch, almost always empty.
create index ledger_open on ledger (user_id) where status in ('failed', 'parked');

-- Every decision after the first: the audit trail that `trace` prints.
create table attempt (
  attempt_id bigint generated always as identity primary key,
  event_id uuid not null,
  at timestamptz not null default now(),
  -- What led to it: the command, or the rollback event that re-executed or withdrew it.
  cause text not null constraint attempt_cause check (cause in ('consume', 'retry', 'skip', 'rollback', 'fix', 'prune')),
  caused_by uuid,
  operator text,
  reason text,
  status text not null,
  error_code text,
  sqlstate text,
  error_message text
);
-- What --accept-gap passed over: offsets of a partition that this group will never decide on.
create table gap (
  gap_id bigint generated always as identity primary key,
  partition int not null,
  generation int not null,
  from_offset bigint not null,
  to_offset bigint not null,
  reason text not null constraint gap_reason check (reason in ('LOG_TRUNCATED', 'LOG_REPLACED')),
  operator text,
  at timestamptz not null default now()
);

-- One row for every time that partitions were added: the new ones wait until the old ones have reached `ends`.
create table generation (
  generation int primary key,
  partition_count int not null,
  -- By partition: the high watermarks of the old ones at that moment.
  ends bigint[] not null,
  at timestamptz not null default now()
);

create index attempt_event on attempt (event_id, attempt_id);

-- Ends a statement whose assumptions do not hold. UE001: the position moved (fenced). UE002: a fact is stale.
create function refuse(state text, reason text) returns void language plpgsql volatile as $$
begin
  raise exception using errcode = state, message = reason;
end $$;
