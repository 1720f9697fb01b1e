-- The event log in PostgreSQL: topics of partitions with gap-free offsets, as Kafka has them. Several services may share
-- one. Runs with search_path set to the log's schema; the functions keep it, whatever their callers' is.
-- Up Migration

-- One row: which log this is. A log made anew has another id.
create table identity (
  only_row boolean primary key default true constraint identity_one_row check (only_row),
  log_id uuid not null default gen_random_uuid(),
  created_at timestamptz not null default now()
);
insert into identity default values;

create table topic (
  topic_id int generated always as identity primary key,
  topic text not null constraint topic_name unique,
  partition_count int not null constraint topic_partition_count check (partition_count between 1 and 10000),
  created_at timestamptz not null default now()
);

-- One row a partition. Whoever appends takes its offsets here by an update and holds the row until the commit: offsets
-- have no gaps, and become visible in order.
create table topic_partition (
  topic_id int not null constraint topic_partition_topic references topic,
  partition int not null,
  -- First readable offset, raised by delete_records.
  low_offset bigint not null default 0,
  -- Next offset to be written.
  next_offset bigint not null default 0,
  -- The latest timestamp of all its records, ms; null before the first.
  latest bigint,
  primary key (topic_id, partition)
) with (fillfactor = 10);

-- Append-only. Of the headers, names and values apart, in the order written; names may repeat.
create table record (
  topic_id int not null,
  partition int not null,
  "offset" bigint not null,
  -- ms since the epoch.
  "timestamp" bigint not null,
  -- The latest timestamp up to this record: it never falls, so the first record at or after a time is found by an index,
  -- whatever the order of timestamps.
  latest bigint not null,
  key bytea,
  value bytea,
  header_keys text[] not null,
  header_values bytea[] not null,
  constraint record_offset primary key (topic_id, partition, "offset")
);
create index record_latest on record (topic_id, partition, latest, "offset");

-- The last append of everyone who appends: an append that is tried again, because its answer was lost, is found here.
create table producer (
  producer_id uuid primary key,
  append_number bigint not null,
  -- What it was answered: of every partition the first new offset.
  partitions int[] not null default '{}',
  first_offsets bigint[] not null default '{}',
  appended_at timestamptz not null default now()
) with (fillfactor = 50);

-- Appends in the order of the arrays and returns, for each partition among them, its first new offset. Rows: one record
-- an element, one topic_partition a partition, one producer. Locks those of the partitions, in the order of their
-- numbers, until the commit. Safe to repeat with the same number, until the producer's next: the answer is then the
-- first one's. Numbers of one producer grow; without a producer every call appends. The headers of a record are array
-- literals, since records have different numbers of them. UE010: the topic has no such partition.
create function append_records(
  of_producer uuid, number bigint, of_topic int, partitions int[], timestamps bigint[], keys bytea[],
  record_values bytea[], keys_of_headers text[], values_of_headers text[]
) returns table (partition int, first_offset bigint) language plpgsql volatile set search_path from current as $$
#variable_conflict use_column
declare
  now_ms constant bigint := extract(epoch from clock_timestamp()) * 1000;
begin
  if of_producer is not null then
    if number = 1 then
      delete from producer where appended_at < now() - interval '1 day';
    end if;
    insert into producer as p (producer_id, append_number) values (of_producer, number)
    on conflict (producer_id) do update set append_number = number, appended_at = now() where p.append_number < number;
    if not found then
      return query select unnest(p.partitions), unnest(p.first_offsets) from producer p
        where p.producer_id = of_producer and p.append_number = number;
      return;
    end if;
  end if;
  return query
  with batch as materialized (
    select b.partition, coalesce(b."timestamp", now_ms) as "timestamp", b.key, b.value, b.header_keys, b.header_values,
      row_number() over in_order - 1 as step, max(coalesce(b."timestamp", now_ms)) over in_order as latest
    from unnest(partitions, timestamps, keys, record_values, keys_of_headers, values_of_headers) with ordinality
      as b (partition, "timestamp", key, value, header_keys, header_values, place)
    window in_order as (partition by b.partition order by b.place)
  ), counted as (
    select partition, count(*) as records, max(latest) as latest from batch group by partition
  ), locked as materialized (
    select partition, latest from topic_partition
    where topic_id = of_topic and partition in (select partition from counted)
    order by partition for no key update
  ), taken as (
    update topic_partition p
    set next_offset = p.next_offset + counted.records, latest = greatest(p.latest, counted.latest)
    from counted join locked using (partition)
    where p.topic_id = of_topic and p.partition = counted.partition
    returning p.partition, p.next_offset - counted.records as first_offset, locked.latest as latest_before
  ), appended as (
    insert into record
      (topic_id, partition, "offset", "timestamp", latest, key, value, header_keys, header_values)
    select of_topic, partition, taken.first_offset + step, "timestamp", greatest(latest, latest_before),
      key, value, header_keys::text[], header_values::bytea[]
    from batch join taken using (partition)
  ), answered as (
    update producer p set partitions = a.partitions, first_offsets = a.first_offsets
    from (select array_agg(partition) as partitions, array_agg(first_offset) as first_offsets from taken) a
    where p.producer_id = of_producer
  )
  select taken.partition, taken.first_offset from taken;
  if exists (select from unnest(partitions) as asked (partition)
    where not exists (select from topic_partition p where p.topic_id = of_topic and p.partition = asked.partition)) then
    raise exception using errcode = 'UE010', message = 'the topic has no such partition';
  end if;
  -- Readers listen: they look again at once rather than at their next poll. Delivered at the commit.
  perform pg_notify(current_schema(), 'records ' || of_topic);
end $$;

-- Deletes a partition's records before an offset, as Kafka's DeleteRecords: they are gone for every reader. Returns how
-- many there were. Locks the partition's row. Safe to repeat. An offset past the end deletes all that there is.
create function delete_records(topic text, partition int, before_offset bigint) returns bigint
language plpgsql volatile set search_path from current as $$
#variable_conflict use_column
declare
  of_topic int;
  low bigint;
  deleted bigint;
begin
  update topic_partition p set low_offset = greatest(p.low_offset, least(before_offset, p.next_offset))
  from topic t
  where t.topic = delete_records.topic and p.topic_id = t.topic_id and p.partition = delete_records.partition
  returning p.topic_id, p.low_offset into of_topic, low;
  delete from record r
  where r.topic_id = of_topic and r.partition = delete_records.partition and r."offset" < low;
  get diagnostics deleted = row_count;
  return deleted;
end $$;
