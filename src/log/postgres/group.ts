import { UserEventsError } from '../../errors/user-events-error.ts';
import { query, type LogConnection } from './connection.ts';

/** One member of one group of one topic. */
export interface Membership {
  readonly topicId: number;
  readonly group: string;
  /** UUID; a member that was removed joins again under another one. */
  readonly memberId: string;
  /** Without a heartbeat for this long the others may take its partitions, ms. */
  readonly sessionTimeoutMs: number;
  /** Whose consumer it is: all that live in a group are the same owner's. Null: nobody said. */
  readonly owner: string | null;
}

/** A group as its member sees it at a heartbeat. */
export interface GroupView {
  /** In the order of joining. */
  readonly members: readonly string[];
  /** Every partition of the topic, in order, with the member that owns it. */
  readonly owners: readonly { readonly partition: number; readonly owner: string | null }[];
}

/** What members are told when members or owners of their group change (settle_group in migrations/log). */
export function groupNotice({ topicId, group }: Membership): string {
  return `group ${String(topicId)} ${group}`;
}

/** Enters the member. Safe to repeat. GROUP_SHARED where another owner's member lives in the group. */
export async function joinGroup(log: LogConnection, membership: Membership): Promise<void> {
  const { topicId, group, memberId, sessionTimeoutMs, owner } = membership;
  const values = [topicId, group, memberId, sessionTimeoutMs, owner];
  const text = 'select join_group($1, $2, $3, $4, $5) as "isJoined"';
  const [answer] = await query<{ isJoined: boolean }>(log, { name: 'join-group', text, values });
  if (answer?.isJoined !== true) {
    throw new UserEventsError(
      'GROUP_SHARED',
      `The group ${group} has members of another database or program`,
    );
  }
}

/**
 * Says that the member lives, removes those of its group that have not said so in time, and frees what they owned.
 * Null where this member was itself removed.
 */
export async function beat(log: LogConnection, membership: Membership): Promise<GroupView | null> {
  const { topicId, group, memberId, sessionTimeoutMs } = membership;
  const [view] = await query<{ members: string[]; partitions: number[]; owners: (string | null)[] }>(log, {
    name: 'beat-group',
    text: 'select members, partitions, owners from beat_group($1, $2, $3, $4)',
    values: [topicId, group, memberId, sessionTimeoutMs],
  });
  if (view === undefined) return null;
  const { members, partitions, owners } = view;
  return {
    members,
    owners: partitions.map((partition, index) => ({ partition, owner: owners[index] ?? null })),
  };
}

/** Takes partitions that nobody owns; returns those that it got, in order: none where it is no member any more. */
export async function claimPartitions(
  log: LogConnection,
  { topicId, group, memberId }: Membership,
  partitions: readonly number[],
): Promise<readonly number[]> {
  const rows = await query<{ partition: number }>(log, {
    name: 'claim-partitions',
    text: 'select partition from claim_partitions($1, $2, $3, $4) as partition order by partition',
    values: [topicId, group, memberId, partitions],
  });
  return rows.map(({ partition }) => partition);
}

/** Gives partitions up, for the others to take. Safe to repeat. */
export async function releasePartitions(
  log: LogConnection,
  { topicId, group, memberId }: Membership,
  partitions: readonly number[],
): Promise<void> {
  const values = [topicId, group, memberId, partitions];
  await query(log, { name: 'release-partitions', text: 'select release_partitions($1, $2, $3, $4)', values });
}

/** Takes the member out of its group, with whatever it owns. Safe to repeat. */
export async function leaveGroup(log: LogConnection, membership: Membership): Promise<void> {
  const values = [membership.topicId, membership.group, membership.memberId];
  await query(log, { name: 'leave-group', text: 'select leave_group($1, $2, $3)', values });
}

/** Commits next offsets, all or none. False where one of the partitions is not this member's any more. */
export async function commitOffsets(
  log: LogConnection,
  { topicId, group, memberId }: Membership,
  offsets: ReadonlyMap<number, bigint>,
  metadata: string,
): Promise<boolean> {
  const [answer] = await query<{ isDone: boolean }>(log, {
    name: 'commit-offsets',
    text: 'select commit_offsets($1, $2, $3, $4, $5, $6) as "isDone"',
    values: [topicId, group, memberId, [...offsets.keys()], [...offsets.values()], metadata],
  });
  return answer?.isDone === true;
}
