-- What pruning keeps. Runs with search_path set to the group's schema.
-- Up Migration

-- One row for every user of whom events were pruned: all up to (generation, offset) hold neither data nor images.
create table base (
  user_id text primary key,
  generation int not null,
  "offset" bigint not null,
  -- What the pruned events made of the row: for `verify` and `rebuild`. Null where none of them is applied.
  "exists" boolean,
  -- Column → value as the events carried it, and what they merged into the extra column.
  changes json,
  extra json,
  pruned_at timestamptz not null default now()
);
