/**
 * Takes several figures in turn, `runs` times after one round to warm up, so that a neighbour's noise meets all of
 * them alike. Returns the values of each, in the order taken. `onRound` is told before each round, 0 to warm up.
 */
export async function inTurn(
  runs: number,
  takes: readonly (() => Promise<number>)[],
  onRound: (round: number) => void,
): Promise<readonly (readonly number[])[]> {
  const taken: number[][] = takes.map(() => []);
  for (let round = 0; round <= runs; round++) {
    onRound(round);
    for (const [index, take] of takes.entries()) {
      const value = await take();
      if (round > 0) taken[index]?.push(value);
    }
  }
  return taken;
}
