import { CLI } from '../frame/command.ts';
import { figure, ratioOf, under, type Figure } from '../frame/figure.ts';
import { inTurn } from '../frame/in-turn.ts';
import type { Stage } from '../frame/stage.ts';
import { runProgram } from '../wire/program.ts';

/** Short runs scatter: of each round so many more are taken. */
const ROUNDS_A_RUN = 4;

/** Commands of the CLI beside `node -e 0`, whole processes in turn, each held against `bar` times as long. */
export async function besideNode(
  stage: Stage,
  part: string,
  commands: readonly (readonly string[])[],
  { runs, bar, env = {} }: { runs: number; bar: number; env?: Readonly<Record<string, string>> },
): Promise<readonly Figure[]> {
  const take = (args: readonly string[]) => async (): Promise<number> =>
    (await runProgram(stage, process.execPath, args, { env })).elapsedMs;
  const takes = [take(['-e', '0']), ...commands.map((args) => take([CLI, ...args]))];
  const rounds = runs * ROUNDS_A_RUN;
  const [floors = [], ...taken] = await inTurn(rounds, takes, (round) => {
    if (round % ROUNDS_A_RUN === 0) stage.say(`${part}: round ${String(round)} of ${String(rounds)}`);
  });
  return [
    figure(part, 'node -e 0', 'ms', floors),
    ...commands.map((args, at) => {
      const values = taken[at] ?? [];
      const ratio = ratioOf(values, floors);
      return figure(part, args.join(' '), 'ms', values, { ratio, bar: under(ratio.median, bar) });
    }),
  ];
}
