import type { UserTargets } from './targets.ts';

/** Users and the histories that were read of them. */
export interface ReadPortion<Entry> {
  readonly users: readonly UserTargets[];
  readonly historyOf: (user: UserTargets) => readonly Entry[];
}

/** Reads a portion ahead: the server reads while we decide. Throws where the signal says so. */
export async function* readPortions<Entry>(
  portions: readonly (readonly UserTargets[])[],
  signal: AbortSignal,
  read: (userIds: readonly string[]) => Promise<ReadonlyMap<string, readonly Entry[]>>,
): AsyncGenerator<ReadPortion<Entry>, void> {
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
    yield { users, historyOf: ({ userId }) => found.get(userId) ?? [] };
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
