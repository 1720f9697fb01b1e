-- The transactional outbox: one function by which a service in any language publishes an event in its own transaction.
-- Up Migration

-- Events of transactions that have not committed yet: their offsets are taken at the commit (assign_offsets). Empty
-- between transactions, so it need not survive a crash.
create unlogged table pending (
  pending_id bigint generated always as identity primary key,
  transaction_id xid8 not null default pg_current_xact_id(),
  topic_id int not null,
  partition int not null,
  "timestamp" bigint not null,
  key bytea not null,
  value bytea not null,
  header_keys text[] not null,
  header_values bytea[] not null
);
create index pending_transaction on pending (transaction_id);

-- Murmur2 of a key as org.apache.kafka.common.utils.Utils.murmur2, unsigned. Products stay below 2^63: both factors are
-- below 2^32 and the constant is below 2^31. The numbers: seed 0x9747b28c, constant 0x5bd1e995, mask 2^32 - 1.
create function murmur2(key bytea) returns bigint language plpgsql immutable strict parallel safe as $$
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
end $$;

-- A UUID of version 7 (RFC 9562): 48 bits of ms since the epoch, the rest random. Servers before 18 have none.
create function uuid_v7() returns uuid language sql volatile parallel safe as $$
  select encode(set_bit(set_bit(
    overlay(uuid_send(gen_random_uuid())
      placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6),
    52, 1), 53, 1), 'hex')::uuid
$$;

-- Gives the events of this transaction their offsets, at its commit. The trigger fires once an event; the first time
-- takes them all.
create function assign_offsets() returns trigger language plpgsql volatile security definer as $$
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
end $$;
create constraint trigger assign_offsets after insert on pending
  deferrable initially deferred for each row execute function assign_offsets();

-- The transactional outbox: publishes one event as part of the caller's transaction, so that a change and its event
-- commit together or not at all. Whoever calls it holds no lock for it before the commit, and events of one user are in
-- the order of the commits. Needs usage on this schema and execute on this function, nothing else.
--   select user_events_log.append_event('users', 'u1', 'create', '{"name": "Ada"}');
-- Returns the event's id, by which `user-events trace` finds it.
-- operation: create, update, delete or put. data: a JSON object, of an update the changed fields alone; ignored for a
-- delete. event_id: any UUID that the caller has not used before; without it a new one. At repeatable read and above,
-- two transactions that append to one partition at the same time are a serialization failure (40001): run it again.
-- Errors: 22023 an argument is wrong, 42704 there is no such topic, 54000 the event is larger than a megabyte.
create function append_event(
  topic text, user_id text, operation text, data jsonb default null, event_id uuid default null,
  source text default null
) returns uuid language plpgsql volatile security definer as $$
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
end $$;

-- These two run with their owner's rights: the names in them mean this schema's, whatever the caller's search_path is,
-- and pg_temp comes last, where a caller could put tables of his own. They are nobody's until they are granted.
do $$
begin
  execute format('alter function append_event set search_path = %I, pg_temp', current_schema());
  execute format('alter function assign_offsets set search_path = %I, pg_temp', current_schema());
end $$;
revoke execute on function append_event from public;
revoke execute on function assign_offsets from public;
