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

create table base (
  user_id text not null,
  generation integer not null,
  "offset" bigint not null,
  "exists" boolean,
  changes json,
  extra json,
  pruned_at timestamp with time zone not null default now(),
  constraint base_pkey PRIMARY KEY (user_id)
);

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
  topic_id text,
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
  dead_lettered_at timestamp with time zone,
  constraint ledger_status CHECK ((status = ANY (ARRAY['applied'::text, 'failed'::text, 'parked'::text, 'rolled_back'::text, 'skipped'::text, 'refused'::text]))),
  constraint ledger_event_id PRIMARY KEY (event_id),
  constraint ledger_offset UNIQUE (generation, partition, "offset")
);

CREATE INDEX ledger_dead_letters ON ledger USING btree (generation, partition, "offset") WHERE ((status = 'failed'::text) AND (dead_lettered_at IS NULL));

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

create table put_back (
  cluster_id text not null,
  dead_letter_topic text not null,
  partition integer not null,
  "offset" bigint not null,
  written_ms bigint not null,
  put_back_at timestamp with time zone not null default now(),
  operator text,
  reason text,
  to_partition integer not null,
  to_offset bigint not null,
  constraint put_back_place PRIMARY KEY (cluster_id, dead_letter_topic, partition, "offset")
);

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
  owner text,
  client_id text default NULLIF(current_setting('application_name'::text), ''::text),
  host text default host(inet_client_addr()),
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

create table producer (
  producer_id uuid not null,
  append_number bigint not null,
  partitions integer[] not null default '{}'::integer[],
  first_offsets bigint[] not null default '{}'::bigint[],
  appended_at timestamp with time zone not null default now(),
  constraint producer_pkey PRIMARY KEY (producer_id)
) with (fillfactor=50);

create table record (
  topic_id integer not null,
  partition integer not null,
  "offset" bigint not null,
  "timestamp" bigint not null,
  latest bigint not null,
  key bytea,
  value bytea,
  header_keys text[] not null,
  header_values bytea[] not null,
  constraint record_offset PRIMARY KEY (topic_id, partition, "offset")
);

CREATE INDEX record_latest ON record USING btree (topic_id, partition, latest, "offset");

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
  latest bigint,
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

CREATE OR REPLACE FUNCTION append_records(of_producer uuid, number bigint, of_topic integer, partitions integer[], timestamps bigint[], keys bytea[], record_values bytea[], keys_of_headers text[], values_of_headers text[])
 RETURNS TABLE(partition integer, first_offset bigint)
 LANGUAGE plpgsql
 SET search_path TO 'log_schema'
AS $function$
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
    perform append_records(null, null, events.topic_id, events.partitions, events.timestamps, events.keys,
      events.record_values, events.keys_of_headers, events.values_of_headers);
  end loop;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION beat_group(of_topic integer, of_group text, member uuid, session_timeout_ms integer)
 RETURNS TABLE(members uuid[], partitions integer[], owners uuid[])
 LANGUAGE plpgsql
 SET search_path TO 'log_schema'
AS $function$
begin
  perform from consumer_group where topic_id = of_topic and consumer_group = of_group for update;
  update group_member set expires_at = clock_timestamp() + session_timeout_ms * interval '1 ms'
  where member_id = member;
  if not found then
    return;
  end if;
  delete from group_member
  where topic_id = of_topic and consumer_group = of_group and expires_at < clock_timestamp();
  perform settle_group(of_topic, of_group, found);
  return query
  select
    (select array_agg(m.member_id order by m.joined) from group_member m
      where m.topic_id = of_topic and m.consumer_group = of_group),
    array_agg(p.partition order by p.partition), array_agg(p.owner order by p.partition)
  from group_partition p where p.topic_id = of_topic and p.consumer_group = of_group;
end $function$
;

CREATE OR REPLACE FUNCTION claim_partitions(of_topic integer, of_group text, member uuid, wanted integer[])
 RETURNS SETOF integer
 LANGUAGE plpgsql
 SET search_path TO 'log_schema'
AS $function$
begin
  perform from consumer_group where topic_id = of_topic and consumer_group = of_group for update;
  return query
  update group_partition set owner = member
  where topic_id = of_topic and consumer_group = of_group and partition = any(wanted) and owner is null
    and exists (select from group_member where member_id = member)
  returning partition;
end $function$
;

CREATE OR REPLACE FUNCTION commit_offsets(of_topic integer, of_group text, member uuid, committed integer[], next_offsets bigint[], new_metadata text)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'log_schema'
AS $function$
declare
  owned int;
begin
  perform from group_partition
  where topic_id = of_topic and consumer_group = of_group and partition = any(committed) and owner = member
  order by partition for update;
  get diagnostics owned = row_count;
  if owned <> cardinality(committed) then
    return false;
  end if;
  update group_partition p set next_offset = c.next_offset, metadata = new_metadata, committed_at = now()
  from unnest(committed, next_offsets) as c (partition, next_offset)
  where p.topic_id = of_topic and p.consumer_group = of_group and p.partition = c.partition;
  return true;
end $function$
;

CREATE OR REPLACE FUNCTION delete_records(topic text, partition integer, before_offset bigint)
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO 'log_schema'
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

CREATE OR REPLACE FUNCTION join_group(of_topic integer, of_group text, member uuid, session_timeout_ms integer, of_owner text)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'log_schema'
AS $function$
begin
  insert into consumer_group (topic_id, consumer_group) values (of_topic, of_group) on conflict do nothing;
  perform from consumer_group where topic_id = of_topic and consumer_group = of_group for update;
  perform from group_member
  where topic_id = of_topic and consumer_group = of_group and expires_at >= clock_timestamp()
    and owner is distinct from of_owner;
  if found then
    return false;
  end if;
  insert into group_partition (topic_id, consumer_group, partition)
  select topic_id, of_group, partition from topic_partition where topic_id = of_topic on conflict do nothing;
  insert into group_member (member_id, topic_id, consumer_group, expires_at, owner)
  values (member, of_topic, of_group, clock_timestamp() + session_timeout_ms * interval '1 ms', of_owner)
  on conflict (member_id) do nothing;
  perform settle_group(of_topic, of_group, true);
  return true;
end $function$
;

CREATE OR REPLACE FUNCTION leave_group(of_topic integer, of_group text, member uuid)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'log_schema'
AS $function$
begin
  perform from consumer_group where topic_id = of_topic and consumer_group = of_group for update;
  delete from group_member where member_id = member;
  perform settle_group(of_topic, of_group, true);
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

CREATE OR REPLACE FUNCTION release_partitions(of_topic integer, of_group text, member uuid, released integer[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'log_schema'
AS $function$
begin
  perform from consumer_group where topic_id = of_topic and consumer_group = of_group for update;
  update group_partition set owner = null
  where topic_id = of_topic and consumer_group = of_group and partition = any(released) and owner = member;
  perform settle_group(of_topic, of_group, true);
end $function$
;

CREATE OR REPLACE FUNCTION settle_group(of_topic integer, of_group text, is_changed boolean)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'log_schema'
AS $function$
begin
  update group_partition set owner = null
  where topic_id = of_topic and consumer_group = of_group and owner is not null
    and owner not in (select member_id from group_member where topic_id = of_topic and consumer_group = of_group);
  if found or is_changed then
    perform pg_notify(current_schema(), format('group %s %s', of_topic, of_group));
  end if;
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
