import type { UserTargets } from './targets.ts';
import type { UserPlan } from './user-plan.ts';

/** A user, and the history that was read of her. */
export interface ReadUser<Entry> extends UserTargets {
  readonly history: readonly Entry[];
}

/** Reads a portion ahead: the server reads while we decide. Throws where the signal says so. */
export async function* readPortions<Entry>(
  portions: readonly (readonly UserTargets[])[],
  signal: AbortSignal,
  read: (userIds: readonly string[]) => Promise<ReadonlyMap<string, readonly Entry[]>>,
): AsyncGenerator<readonly ReadUser<Entry>[], void> {
  const readAt = (at: number) => {
    const users = portions[at] ?? [];
    const histories = read(users.map(({ userId }) => userId));
    // Awaited a portion later: until then its failure is nobody's.
    histories.catch(() => undefined);
    return { users, histories };
  };
  if (portions.length === 0) return;
  let next = readAt(0);
  for (let at = 1; at <= portions.length; at++) {
    signal.throwIfAborted();
    const { users, histories } = next;
    const found = await histories;
    if (at < portions.length) next = readAt(at);
    yield users.map((user) => ({ ...user, history: found.get(user.userId) ?? [] }));
  }
}

/** Users in their order, so many a portion; `first` in the first one. */
export function slices(
  users: readonly UserTargets[],
  size: number,
  first: number = size,
): readonly (readonly UserTargets[])[] {
  if (users.length === 0) return [];
  const portions = [users.slice(0, first)];
  for (let from = first; from < users.length; from += size) portions.push(users.slice(from, from + size));
  return portions;
}

/** Portions of one partition each, the partitions in turn: a consumer executes its partitions side by side. */
export function dealtOut(
  users: readonly UserTargets[],
  size: number,
  first: number,
): readonly (readonly UserTargets[])[] {
  const byPartition = new Map<number, UserTargets[]>();
  for (const user of users) {
    const partition = user.rows[0]?.partition ?? 0;
    const others = byPartition.get(partition);
    if (others === undefined) byPartition.set(partition, [user]);
    else others.push(user);
  }
  const decks = [...byPartition.values()].map((deck, at) => slices(deck, size, at === 0 ? first : size));
  const rounds = Math.max(0, ...decks.map(({ length }) => length));
  const round = (at: number): readonly (readonly UserTargets[])[] =>
    decks.flatMap((deck) => deck.slice(at, at + 1));
  return Array.from({ length: rounds }, (_, at) => round(at)).flat();
}

/**
 * Plans in portions of one partition each: for every portion that comes in, the partition with the most plans goes
 * out. A consumer executes its partitions side by side, and each in batches as large as what has come.
 */
export async function* fullestPartition(
  portions: AsyncGenerator<readonly UserPlan[], void>,
): AsyncGenerator<readonly UserPlan[], void> {
  const waiting = new Map<number, UserPlan[]>();
  for await (const plans of portions) {
    for (const plan of plans) {
      const others = waiting.get(plan.partition);
      if (others === undefined) waiting.set(plan.partition, [plan]);
      else others.push(plan);
    }
    yield takeFullest(waiting);
  }
  while (waiting.size > 0) yield takeFullest(waiting);
}

function takeFullest(waiting: Map<number, UserPlan[]>): readonly UserPlan[] {
  let fullest: readonly [number, readonly UserPlan[]] = [-1, []];
  for (const entry of waiting) if (entry[1].length > fullest[1].length) fullest = entry;
  waiting.delete(fullest[0]);
  return fullest[1];
}
