import { AssignerProtocol, type GroupDescriptions } from 'kafkajs';
import type { GroupMember } from '../event-log.ts';

/**
 * The members of the one group described, with their partitions of `topic`, by member id. A group that nobody is in
 * (Empty), or that never was (Dead), has none. Groups of the protocol of KIP-848 are unknown to the question
 * (DescribeGroups): no consumer of ours makes one.
 */
export function readMembers({ groups }: GroupDescriptions, topic: string): readonly GroupMember[] {
  return groups
    .flatMap(({ members }) => members)
    .map(({ memberId, clientId, clientHost, memberAssignment }) => ({
      memberId,
      clientId: clientId === '' ? null : clientId,
      // The JVM prints an InetAddress without a name as `/127.0.0.1`.
      host: clientHost.replace(/^\//, '') || null,
      partitions: readAssignment(memberAssignment)[topic]?.toSorted((a, b) => a - b) ?? [],
    }))
    .sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
}

/** Empty while the group rebalances. */
function readAssignment(bytes: Buffer): Readonly<Record<string, readonly number[]>> {
  return AssignerProtocol.MemberAssignment.decode(bytes)?.assignment ?? {};
}
