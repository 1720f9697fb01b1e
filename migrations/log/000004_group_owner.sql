-- The members of a group all work for the same owner: two services that share a group by mistake would each get a part of
-- the events.
-- Up Migration

-- Null: a member that did not say whose it is; they may be together.
alter table group_member add column owner text;

drop function join_group(int, text, uuid, int);

-- Enters a member. False, and nothing is done, where a member that lives is another owner's. Safe to repeat. Locks the
-- group.
create function join_group(of_topic int, of_group text, member uuid, session_timeout_ms int, of_owner text)
returns boolean language plpgsql volatile set search_path from current as $$
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
end $$;
