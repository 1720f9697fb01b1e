import type { GroupView } from './group.ts';

/** What a member has to give up and what it may take now. */
export interface Share {
  readonly release: readonly number[];
  readonly claim: readonly number[];
}

/**
 * A member's fair share of the partitions, worked out by each member for itself from the same rows: as many as divide
 * evenly, one more for those who joined first. It keeps what it has up to that, gives up the rest (the highest
 * numbers), and takes the lowest numbers that nobody owns. Nothing moves that does not have to, and since the shares
 * add up, every partition has its owner once all have done so.
 */
export function fairShare({ members, owners }: GroupView, memberId: string): Share {
  const rank = members.indexOf(memberId);
  if (rank === -1) return { release: [], claim: [] };
  const quota = Math.floor(owners.length / members.length) + (rank < owners.length % members.length ? 1 : 0);
  const owned = owners.filter(({ owner }) => owner === memberId).map(({ partition }) => partition);
  const free = owners.filter(({ owner }) => owner === null).map(({ partition }) => partition);
  return { release: owned.slice(quota), claim: free.slice(0, Math.max(0, quota - owned.length)) };
}
