import { parseArgs } from 'node:util';

/** How it is called; `names` are the benches. */
export const usage = (
  names: readonly string[],
): string => `Usage: npm run bench -- NAME [--json] [--events N] [--runs N] [--only PART,PART]

  NAME      ${names.join(', ')}
  --json    one JSON object on stdout instead of the table
  --events  events of the corpus (default: 200000; inspect: 500000)
  --runs    how often each figure is taken, after one run to warm up (default: 5)
  --only    parts of the bench, by name; the list of a bench: npm run bench -- NAME --only list

Starts a Kafka broker and a PostgreSQL server of its own and removes them at the end. Needs Java 17 and Maven, like the tests.
`;

/** What a bench was asked for. Scenarios take from it what means something to them. */
export interface BenchArguments {
  readonly name: string;
  readonly isJson: boolean;
  readonly events: number;
  /** Runs that count, of each figure; one more comes before them, to warm up. */
  readonly runs: number;
  /** Parts of the bench; empty: all of them. */
  readonly only: readonly string[];
}

/** As it was asked for: without `--events` the bench itself says how many. */
export type AskedArguments = Omit<BenchArguments, 'events'> & { readonly events: number | null };

/** Reads the command line; 'help', or a text that says what is wrong with it. */
export function parseBenchArguments(
  argv: readonly string[],
  names: readonly string[],
): AskedArguments | string {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        events: { type: 'string' },
        runs: { type: 'string', default: '5' },
        only: { type: 'string', default: '' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const { values, positionals } = parsed;
  if (values.help) return 'help';
  const [name] = positionals;
  if (name === undefined || positionals.length > 1 || !names.includes(name)) {
    return `Name one bench: ${names.join(', ')}`;
  }
  const events = values.events === undefined ? null : Number(values.events);
  const runs = Number(values.runs);
  if (events !== null && (!Number.isSafeInteger(events) || events < 1000))
    return '--events takes a number from 1000 on';
  if (!Number.isSafeInteger(runs) || runs < 1) return '--runs takes a number from 1 on';
  const only = values.only.split(',').filter((part) => part !== '');
  return { name, isJson: values.json, events, runs, only };
}
