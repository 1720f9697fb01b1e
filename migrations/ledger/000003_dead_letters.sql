-- Dead letters (docs/adr: dead letters follow the ledger). Runs with search_path set to the group's schema.
-- Up Migration

-- When the failed event was written to the dead-letter topic; null: not yet, or there is none.
alter table ledger add column dead_lettered_at timestamptz;
-- What is still to be written: read after every commit with a failure, almost always empty.
create index ledger_dead_letters on ledger (generation, partition, "offset")
  where status = 'failed' and dead_lettered_at is null;

-- Dead letters that `retry --dead-letter` put back into their topic, by where they lie.
create table put_back (
  cluster_id text not null,
  dead_letter_topic text not null,
  partition int not null,
  "offset" bigint not null,
  -- The dead letter's own timestamp, ms since the epoch: another one at this place means that its topic was made anew.
  written_ms bigint not null,
  put_back_at timestamptz not null default now(),
  operator text,
  reason text,
  to_partition int not null,
  to_offset bigint not null,
  constraint put_back_place primary key (cluster_id, dead_letter_topic, partition, "offset")
);
