import type { GroupMember } from '../event-log.ts';
import { query, type LogConnection } from './connection.ts';

/**
 * The members of a group that have said in time that they live, by member id. No locks: the members themselves remove
 * the others. A log of an earlier version (000004) does not know client and host: by way of JSON they are null then.
 */
export async function readMembers(
  log: LogConnection,
  topicId: number,
  group: string,
): Promise<readonly GroupMember[]> {
  return query<GroupMember>(log, {
    name: 'read-members',
    text: `select m.member_id::text as "memberId", to_jsonb(m) ->> 'client_id' as "clientId",
        to_jsonb(m) ->> 'host' as host,
        array(select p.partition from group_partition p
          where p.topic_id = m.topic_id and p.consumer_group = m.consumer_group and p.owner = m.member_id
          order by p.partition) as partitions
      from group_member m
      where m.topic_id = $1 and m.consumer_group = $2 and m.expires_at >= clock_timestamp()
      order by m.member_id::text collate "C"`,
    values: [topicId, group],
  });
}
