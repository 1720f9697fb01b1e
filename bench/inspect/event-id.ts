import { openService, SCHEMA, type BenchService } from '../consume/service.ts';
import { corpus } from '../consume/corpus.ts';
import type { BenchArguments } from '../frame/arguments.ts';
import { runCommand } from '../frame/command.ts';
import { figure, under, type Figure } from '../frame/figure.ts';
import { inTurn } from '../frame/in-turn.ts';
import type { Stage } from '../frame/stage.ts';
import { fillLedger } from '../rollback/large-ledger.ts';

const PART = 'event-id';
/** Besides start-up, ms. */
const BAR_MS = 50;
const EVENTS = 1000;
const ROUNDS_A_RUN = 4;

/**
 * `log --event-id` on a ledger of five million rows. Start-up is what `log` takes for one record that it need not look
 * for, by its offset and without a database: the program, Kafka's driver, the connection to it.
 */
export async function measureEventId(stage: Stage, { runs }: BenchArguments): Promise<readonly Figure[]> {
  const service = await openService(stage, 1, corpus({ events: EVENTS }));
  await runCommand(stage, ['consume', '--until-end', '--json'], service.env);
  await fillLedger(stage, service);
  const eventIds = await someEvents(service, runs * ROUNDS_A_RUN + 1);
  const { DATABASE_URL: _, ...logAlone } = service.env;
  const timed = async (args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> => {
    const startedMs = performance.now();
    await runCommand(stage, ['log', '--json', ...args], env);
    return performance.now() - startedMs;
  };
  let next = 0;
  const takes = [
    () => timed(['-p', '0', '-o', '500:501'], logAlone),
    () => timed(['--event-id', eventIds[next++] ?? ''], service.env),
  ];
  const [starts = [], finds = []] = await inTurn(runs * ROUNDS_A_RUN, takes, (round) => {
    if (round % ROUNDS_A_RUN === 0)
      stage.say(`${PART}: round ${String(round)} of ${String(runs * ROUNDS_A_RUN)}`);
  });
  const besides = finds.map((ms, at) => ms - (starts[at] ?? Number.NaN));
  const one = figure(PART, 'by id, start-up left out', 'ms', besides);
  return [
    figure(PART, 'one record by its offset, no database', 'ms', starts),
    figure(PART, 'one event by its id', 'ms', finds),
    { ...one, bar: under(one.median, BAR_MS, ' ms') },
  ];
}

/** Events of the log, spread over it. */
async function someEvents({ pool }: BenchService, count: number): Promise<readonly string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `select event_id as id from ${SCHEMA}.ledger where generation = 0 and partition = 0
     order by md5(event_id::text) limit $1`,
    [count],
  );
  return rows.map(({ id }) => id);
}
