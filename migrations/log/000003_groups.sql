-- Consumer groups: who reads which partition, and how far each group has come. Every change of a group's members or
-- owners is one statement under the group's lock, so that a member that vanishes leaves no lock behind.
-- Up Migration

-- Its row is the group's lock.
create table consumer_group (
  topic_id int not null constraint consumer_group_topic references topic,
  consumer_group text not null,
  primary key (topic_id, consumer_group)
);

create table group_member (
  member_id uuid primary key,
  topic_id int not null,
  consumer_group text not null,
  -- The order of joining: who has been there longer has the larger share where the partitions do not divide evenly.
  joined bigint generated always as identity,
  -- By this server's clock; raised by every heartbeat. Past it, anybody may remove the member.
  expires_at timestamptz not null,
  constraint group_member_group foreign key (topic_id, consumer_group) references consumer_group
);
create index group_member_of_group on group_member (topic_id, consumer_group);

-- Who reads a partition for a group, and how far the group has come.
create table group_partition (
  topic_id int not null,
  consumer_group text not null,
  partition int not null,
  owner uuid,
  -- Null until the first commit.
  next_offset bigint,
  metadata text not null default '',
  committed_at timestamptz,
  primary key (topic_id, consumer_group, partition),
  constraint group_partition_group foreign key (topic_id, consumer_group) references consumer_group
) with (fillfactor = 50);

-- Frees partitions whose owner is no member (any more), and tells the members when `is_changed` or there were any.
-- For callers that hold the group's lock.
create function settle_group(of_topic int, of_group text, is_changed boolean) returns void
language plpgsql volatile set search_path from current as $$
begin
  update group_partition set owner = null
  where topic_id = of_topic and consumer_group = of_group and owner is not null
    and owner not in (select member_id from group_member where topic_id = of_topic and consumer_group = of_group);
  if found or is_changed then
    perform pg_notify(current_schema(), format('group %s %s', of_topic, of_group));
  end if;
end $$;

-- Enters a member. Safe to repeat. Locks the group.
create function join_group(of_topic int, of_group text, member uuid, session_timeout_ms int) returns void
language plpgsql volatile set search_path from current as $$
begin
  insert into consumer_group (topic_id, consumer_group) values (of_topic, of_group) on conflict do nothing;
  perform from consumer_group where topic_id = of_topic and consumer_group = of_group for update;
  insert into group_partition (topic_id, consumer_group, partition)
  select topic_id, of_group, partition from topic_partition where topic_id = of_topic on conflict do nothing;
  insert into group_member (member_id, topic_id, consumer_group, expires_at)
  values (member, of_topic, of_group, clock_timestamp() + session_timeout_ms * interval '1 ms')
  on conflict (member_id) do nothing;
  perform settle_group(of_topic, of_group, true);
end $$;

-- Says that a member lives, and removes those of its group that have not said so in time. Returns the members in the
-- order of joining, and all partitions with their owners; no row where the member itself was removed. Locks the group.
create function beat_group(of_topic int, of_group text, member uuid, session_timeout_ms int)
returns table (members uuid[], partitions int[], owners uuid[])
language plpgsql volatile set search_path from current as $$
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
end $$;

-- Takes those of the partitions that nobody owns, for a member that is still one; returns them. Locks the group.
create function claim_partitions(of_topic int, of_group text, member uuid, wanted int[]) returns setof int
language plpgsql volatile set search_path from current as $$
begin
  perform from consumer_group where topic_id = of_topic and consumer_group = of_group for update;
  return query
  update group_partition set owner = member
  where topic_id = of_topic and consumer_group = of_group and partition = any(wanted) and owner is null
    and exists (select from group_member where member_id = member)
  returning partition;
end $$;

-- Gives partitions up. Safe to repeat. Locks the group.
create function release_partitions(of_topic int, of_group text, member uuid, released int[]) returns void
language plpgsql volatile set search_path from current as $$
begin
  perform from consumer_group where topic_id = of_topic and consumer_group = of_group for update;
  update group_partition set owner = null
  where topic_id = of_topic and consumer_group = of_group and partition = any(released) and owner = member;
  perform settle_group(of_topic, of_group, true);
end $$;

-- Takes a member out, with whatever it owns. Safe to repeat. Locks the group.
create function leave_group(of_topic int, of_group text, member uuid) returns void
language plpgsql volatile set search_path from current as $$
begin
  perform from consumer_group where topic_id = of_topic and consumer_group = of_group for update;
  delete from group_member where member_id = member;
  perform settle_group(of_topic, of_group, true);
end $$;

-- Commits next offsets (backwards too), all or none: false where one of the partitions is not this member's. Locks the
-- partitions' rows.
create function commit_offsets(
  of_topic int, of_group text, member uuid, committed int[], next_offsets bigint[], new_metadata text
) returns boolean language plpgsql volatile set search_path from current as $$
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
end $$;
