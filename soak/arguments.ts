import { parseArgs } from 'node:util';

export const USAGE = `Usage: npm run soak -- [--seed N] [--minutes M]

  --seed     repeats the same faults in the same order (default: a new one, which is printed)
  --minutes  how long faults are injected (default: 10; 0.5 is half a minute)

Starts a Kafka broker and a PostgreSQL server of its own and removes them at the end. Needs Java 17 and Maven, like the tests.
Exits 0 where nothing differs, 1 where something does or the soak itself failed, 2 for usage, 130 when interrupted.
`;

export interface SoakArguments {
  readonly seed: number;
  readonly minutes: number;
}

/** Reads the command line; 'help', or a text that says what is wrong with it. `newSeed` is taken where none is given. */
export function parseSoakArguments(argv: readonly string[], newSeed: number): SoakArguments | string {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: {
        seed: { type: 'string' },
        minutes: { type: 'string', default: '10' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  if (values.help) return 'help';
  const seed = values.seed === undefined ? newSeed : Number(values.seed);
  const minutes = Number(values.minutes);
  if (!Number.isSafeInteger(seed) || seed < 0) return '--seed takes a whole number from 0 on';
  if (!(minutes > 0 && minutes <= 1440)) return '--minutes takes a number above 0, and up to a day';
  return { seed, minutes };
}
