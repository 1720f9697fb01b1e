-- Made from the migrations by `npm run schema`, in the catalog's words; nothing reads this file.
-- It is there for review: what a migration changes shows here.

-- The ledger of one consumer group

create table attempt (
  attempt_id bigint not null generated always as identity,
  event_id uuid not null,
  at timestamp with time zone not null default now(),
  cause text not null,
  caused_by uuid,
  operator text,
  reason text,
  status text not null,
  error_code text,
  sqlstate text,
  error_message text,
  constraint attempt_cause CHECK ((cause = ANY (ARRAY['consume'::text, 'retry'::text, 'skip'::text, 'rollback'::text, 'fix'::text, 'prune'::text]))),
  constraint attempt_pkey PRIMARY KEY (attempt_id)
);

CREATE INDEX attempt_event ON attempt USING btree (event_id, attempt_id);

create table binding (
  only_row boolean not null default true,
  schema_id uuid not null default gen_random_uuid(),
  rules text not null,
  users_schema text not null,
  users_table text not null,
  key_column text not null,
  extra_column text,
  created_column text,
  updated_column text,
  cluster_id text,
  topic text,
  partition_count integer,
  consumer_group text,
  generation integer not null default 0,
  bound_at timestamp with time zone,
  constraint binding_one_row CHECK (only_row),
  constraint binding_rules CHECK ((rules = ANY (ARRAY['strict'::text, 'lenient'::text]))),
  constraint binding_pkey PRIMARY KEY (only_row)
);

create table gap (
  gap_id bigint not null generated always as identity,
  partition integer not null,
  generation integer not null,
  from_offset bigint not null,
  to_offset bigint not null,
  reason text not null,
  operator text,
  at timestamp with time zone not null default now(),
  constraint gap_reason CHECK ((reason = ANY (ARRAY['LOG_TRUNCATED'::text, 'LOG_REPLACED'::text]))),
  constraint gap_pkey PRIMARY KEY (gap_id)
);

create table generation (
  generation integer not null,
  partition_count integer not null,
  ends bigint[] not null,
  at timestamp with time zone not null default now(),
  constraint generation_pkey PRIMARY KEY (generation)
);

create table ledger (
  event_id uuid not null,
  generation integer not null,
  partition integer not null,
  "offset" bigint not null,
  user_id text,
  operation text,
  status text not null,
  published_at timestamp with time zone not null,
  decided_at timestamp with time zone not null default now(),
  attempts integer not null default 1,
  ce_id text,
  data json,
  raw bytea,
  before json,
  before_exists boolean,
  blocked_by uuid,
  error_code text,
  sqlstate text,
  error_message text,
  error_detail json,
  withdraws uuid[],
  constraint ledger_status CHECK ((status = ANY (ARRAY['applied'::text, 'failed'::text, 'parked'::text, 'rolled_back'::text, 'skipped'::text, 'refused'::text]))),
  constraint ledger_event_id PRIMARY KEY (event_id),
  constraint ledger_offset UNIQUE (generation, partition, "offset")
);

CREATE INDEX ledger_open ON ledger USING btree (user_id) WHERE (status = ANY (ARRAY['failed'::text, 'parked'::text]));

CREATE INDEX ledger_user ON ledger USING btree (user_id, generation, "offset");

create table migration (
  id integer not null default nextval('migration_id_seq'::regclass),
  name character varying(255) not null,
  run_on timestamp without time zone not null,
  constraint migration_pkey PRIMARY KEY (id)
);

create table position (
  partition integer not null,
  next_offset bigint not null,
  start_offset bigint not null,
  epoch bigint not null default 0,
  revision bigint not null default 0,
  generation integer not null default 0,
  duplicates bigint not null default 0,
  updated_at timestamp with time zone not null default now(),
  constraint position_pkey PRIMARY KEY (partition)
) with (fillfactor=10);

create sequence migration_id_seq;

CREATE OR REPLACE FUNCTION refuse(state text, reason text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  raise exception using errcode = state, message = reason;
end $function$
;

-- The event log in PostgreSQL

create table consumer_group (
  topic_id integer not null,
  consumer_group text not null,
  constraint consumer_group_topic FOREIGN KEY (topic_id) REFERENCES topic(topic_id),
  constraint consumer_group_pkey PRIMARY KEY (topic_id, consumer_group)
);

create table group_member (
  member_id uuid not null,
  topic_id integer not null,
  consumer_group text not null,
  joined bigint not null generated always as identity,
  expires_at timestamp with time zone not null,
  constraint group_member_group FOREIGN KEY (topic_id, consumer_group) REFERENCES consumer_group(topic_id, consumer_group),
  constraint group_member_pkey PRIMARY KEY (member_id)
);

CREATE INDEX group_member_of_group ON group_member USING btree (topic_id, consumer_group);

create table group_partition (
  topic_id integer not null,
  consumer_group text not null,
  partition integer not null,
  owner uuid,
  next_offset bigint,
  metadata text not null default ''::text,
  committed_at timestamp with time zone,
  constraint group_partition_group FOREIGN KEY (topic_id, consumer_group) REFERENCES consumer_group(topic_id, consumer_group),
  constraint group_partition_pkey PRIMARY KEY (topic_id, consumer_group, partition)
) with (fillfactor=50);

create table identity (
  only_row boolean not null default true,
  log_id uuid not null default gen_random_uuid(),
  created_at timestamp with time zone not null default now(),
  constraint identity_one_row CHECK (only_row),
  constraint identity_pkey PRIMARY KEY (only_row)
);

create table migration (
  id integer not null default nextval('migration_id_seq'::regclass),
  name character varying(255) not null,
  run_on timestamp without time zone not null,
  constraint migration_pkey PRIMARY KEY (id)
);

create table pending (
  pending_id bigint not null generated always as identity,
  transaction_id xid8 not null default pg_current_xact_id(),
  topic_id integer not null,
  partition integer not null,
  "timestamp" bigint not null,
  key bytea not null,
  value bytea not null,
  header_keys text[] not null,
  header_values bytea[] not null,
  constraint pending_pkey PRIMARY KEY (pending_id)
);

CREATE INDEX pending_transaction ON pending USING btree (transaction_id);

CREATE CONSTRAINT TRIGGER assign_offsets AFTER INSERT ON pending DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION assign_offsets();

create table record (
  topic_id integer not null,
  partition integer not null,
  "offset" bigint not null,
  "timestamp" bigint not null,
  key bytea,
  value bytea,
  header_keys text[] not null,
  header_values bytea[] not null,
  constraint record_offset PRIMARY KEY (topic_id, partition, "offset")
);

CREATE INDEX record_time ON record USING btree (topic_id, partition, "timestamp", "offset");

create table topic (
  topic_id integer not null generated always as identity,
  topic text not null,
  partition_count integer not null,
  created_at timestamp with time zone not null default now(),
  constraint topic_partition_count CHECK (((partition_count >= 1) AND (partition_count <= 10000))),
  constraint topic_pkey PRIMARY KEY (topic_id),
  constraint topic_name UNIQUE (topic)
);

create table topic_partition (
  topic_id integer not null,
  partition integer not null,
  low_offset bigint not null default 0,
  next_offset bigint not null default 0,
  constraint topic_partition_topic FOREIGN KEY (topic_id) REFERENCES topic(topic_id),
  constraint topic_partition_pkey PRIMARY KEY (topic_id, partition)
) with (fillfactor=10);

create sequence migration_id_seq;

CREATE OR REPLACE FUNCTION append_event(topic text, user_id text, operation text, data jsonb DEFAULT NULL::jsonb, event_id uuid DEFAULT NULL::uuid, source text DEFAULT NULL::text)
 RETURNS uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'log_schema', 'pg_temp'
AS $function$
#variable_conflict use_variable
declare
  of_topic int;
  partitions int;
  new_id constant uuid := coalesce(append_event.event_id, uuid_v7());
  ce_type constant text := case operation when 'create' then 'user.created' when 'update' then 'user.updated'
    when 'delete' then 'user.deleted' when 'put' then 'user.put' end;
  key constant bytea := convert_to(user_id, 'UTF8');
  fields constant text := case when operation <> 'delete' then (data - 'userId')::text end;
  value bytea;
begin
  if ce_type is null then
    raise exception using errcode = '22023', message = 'operation is not create, update, delete or put';
  elsif user_id is null or octet_length(key) not between 1 and 1024 then
    raise exception using errcode = '22023', message = 'user_id has to be 1 to 1024 bytes long';
  elsif jsonb_typeof(data) <> 'object' then
    raise exception using errcode = '22023', message = 'data is not a JSON object';
  elsif source = '' then
    raise exception using errcode = '22023', message = 'source is empty';
  end if;
  select t.topic_id, t.partition_count into of_topic, partitions from topic t where t.topic = append_event.topic;
  if not found then
    raise exception using errcode = '42704', message = format('topic "%s" does not exist', topic);
  end if;
  -- userId first, as every producer of user-events writes it.
  value := convert_to('{"userId":' || to_json(user_id)
    || case when coalesce(fields, '{}') = '{}' then '}' else ',' || substr(fields, 2) end, 'UTF8');
  if octet_length(value) > 1000000 then
    raise exception using errcode = '54000', message = 'the event is larger than 1000000 bytes';
  end if;
  insert into pending (topic_id, partition, "timestamp", key, value, header_keys, header_values)
  values (of_topic, (murmur2(key) & 2147483647) % partitions, (extract(epoch from clock_timestamp()) * 1000)::bigint, key, value,
    array['ce_specversion', 'ce_id', 'ce_type', 'ce_source'],
    array[convert_to('1.0', 'UTF8'), convert_to(new_id::text, 'UTF8'), convert_to(ce_type, 'UTF8'),
      convert_to(coalesce(source, '/user-events/' || current_database()), 'UTF8')]);
  return new_id;
end $function$
;

CREATE OR REPLACE FUNCTION append_records(of_topic integer, partitions integer[], timestamps bigint[], keys bytea[], record_values bytea[], keys_of_headers text[], values_of_headers text[])
 RETURNS TABLE(partition integer, first_offset bigint)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
begin
  return query
  with batch as materialized (
    select b.*, row_number() over (partition by b.partition order by b.place) - 1 as step
    from unnest(partitions, timestamps, keys, record_values, keys_of_headers, values_of_headers) with ordinality
      as b (partition, "timestamp", key, value, header_keys, header_values, place)
  ), counted as (
    select partition, count(*) as records from batch group by partition
  ), locked as materialized (
    select partition from topic_partition
    where topic_id = of_topic and partition in (select partition from counted)
    order by partition for no key update
  ), taken as (
    update topic_partition p set next_offset = p.next_offset + counted.records
    from counted join locked using (partition)
    where p.topic_id = of_topic and p.partition = counted.partition
    returning p.partition, p.next_offset - counted.records as first_offset
  ), appended as (
    insert into record (topic_id, partition, "offset", "timestamp", key, value, header_keys, header_values)
    select of_topic, partition, taken.first_offset + step,
      coalesce("timestamp", (extract(epoch from clock_timestamp()) * 1000)::bigint),
      key, value, header_keys::text[], header_values::bytea[]
    from batch join taken using (partition)
  )
  select taken.partition, taken.first_offset from taken;
  if (select count(distinct p) from unnest(partitions) p)
     <> (select count(*) from topic_partition where topic_id = of_topic and partition = any(partitions)) then
    raise exception using errcode = 'UE010', message = 'the topic has no such partition';
  end if;
  -- Readers listen: they look again at once rather than at their next poll. Delivered at the commit.
  perform pg_notify(current_schema(), 'records ' || of_topic);
end $function$
;

CREATE OR REPLACE FUNCTION assign_offsets()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'log_schema', 'pg_temp'
AS $function$
declare
  events record;
begin
  for events in
    with mine as (delete from pending where transaction_id = pg_current_xact_id() returning *)
    select topic_id,
      array_agg(partition order by pending_id) as partitions,
      array_agg("timestamp" order by pending_id) as timestamps,
      array_agg(key order by pending_id) as keys,
      array_agg(value order by pending_id) as record_values,
      array_agg(header_keys::text order by pending_id) as keys_of_headers,
      array_agg(header_values::text order by pending_id) as values_of_headers
    from mine group by topic_id order by topic_id
  loop
    perform append_records(events.topic_id, events.partitions, events.timestamps, events.keys,
      events.record_values, events.keys_of_headers, events.values_of_headers);
  end loop;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION delete_records(topic text, partition integer, before_offset bigint)
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO 'log_schema', 'pg_temp'
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION murmur2(key bytea)
 RETURNS bigint
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
declare
  m constant bigint := 1540483477;
  mask constant bigint := 4294967295;
  size constant int := octet_length(key);
  whole constant int := size - size % 4;
  hash bigint := 2538058380 # size;
  k bigint;
begin
  for i in 0 .. whole - 4 by 4 loop
    k := get_byte(key, i) + (get_byte(key, i + 1) << 8) + (get_byte(key, i + 2) << 16)
      + (get_byte(key, i + 3)::bigint << 24);
    k := (k * m) & mask;
    k := ((k # (k >> 24)) * m) & mask;
    hash := ((hash * m) & mask) # k;
  end loop;
  if size % 4 = 3 then hash := hash # (get_byte(key, whole + 2) << 16); end if;
  if size % 4 >= 2 then hash := hash # (get_byte(key, whole + 1) << 8); end if;
  if size % 4 >= 1 then hash := ((hash # get_byte(key, whole)) * m) & mask; end if;
  hash := ((hash # (hash >> 13)) * m) & mask;
  return hash # (hash >> 15);
end $function$
;

CREATE OR REPLACE FUNCTION uuid_v7()
 RETURNS uuid
 LANGUAGE sql
 PARALLEL SAFE
AS $function$
  select encode(set_bit(set_bit(
    overlay(uuid_send(gen_random_uuid())
      placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6),
    52, 1), 53, 1), 'hex')::uuid
$function$
;
