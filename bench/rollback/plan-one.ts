import { openService, SCHEMA, type BenchService } from '../consume/service.ts';
import { corpus } from '../consume/corpus.ts';
import type { BenchArguments } from '../frame/arguments.ts';
import { runCommand } from '../frame/command.ts';
import { under, figure, type Figure } from '../frame/figure.ts';
import type { Stage } from '../frame/stage.ts';
import { startUpMs } from './start-up.ts';

/** Rows of a ledger that has run for a while: a tenth as many users. */
const ROWS = 5_000_000;
const EVENTS_OF_A_USER = 10;
/** Besides start-up, ms. */
const BAR_MS = 300;

/** `rollback --event-id ID --dry-run` on a ledger of five million rows, besides what the CLI takes to start. */
export async function measurePlanOne(
  stage: Stage,
  { runs }: BenchArguments,
  name: string,
): Promise<readonly Figure[]> {
  const service = await openService(stage, 1, corpus({ events: 1000 }));
  await runCommand(stage, ['consume', '--until-end', '--json'], service.env);
  stage.say(`${name}: making ${ROWS.toLocaleString('en-US')} ledger rows`);
  await fillLedger(service);
  const values: number[] = [];
  for (let round = 0; round <= runs; round++) {
    const eventId = await someEvent(service, round);
    const idleMs = await startUpMs(stage, service.env);
    const startedMs = performance.now();
    const args = ['rollback', '--event-id', eventId, '--cascade', '--dry-run', '--json'];
    await runCommand(stage, args, service.env);
    if (round > 0) values.push(performance.now() - startedMs - idleMs);
  }
  const one = figure(name, 'plan of one event, start-up left out', 'ms', values);
  return [{ ...one, bar: under(one.median, BAR_MS, ' ms') }];
}

/** Users with a history of a create and updates, all applied, in the partitions behind that of the corpus. */
async function fillLedger({ pool }: BenchService): Promise<void> {
  await pool.query(`set synchronous_commit = off`);
  await pool.query(
    `insert into public.users (user_id, name, email)
     select 'p' || n, 'Zoë ' || (n * ${String(EVENTS_OF_A_USER)} + ${String(EVENTS_OF_A_USER - 1)}), 'p' || n || '@example.com'
     from generate_series(0, ${String(ROWS / EVENTS_OF_A_USER - 1)}) n`,
  );
  await pool.query(
    `insert into ${SCHEMA}.ledger (event_id, generation, partition, "offset", user_id, operation, status, published_at, data, before_exists, before)
     select gen_random_uuid(), 0, 1, n, 'p' || n / ${String(EVENTS_OF_A_USER)}, case n % ${String(EVENTS_OF_A_USER)} when 0 then 'create' else 'update' end,
       'applied', now(), json_build_object('userId', 'p' || n / ${String(EVENTS_OF_A_USER)}, 'name', 'Zoë ' || n,
         'email', 'p' || n / ${String(EVENTS_OF_A_USER)} || '@example.com'), n % ${String(EVENTS_OF_A_USER)} > 0,
       case when n % ${String(EVENTS_OF_A_USER)} > 0 then json_build_object('user_id', 'p' || n / ${String(EVENTS_OF_A_USER)},
         'name', 'Zoë ' || n - 1, 'email', 'p' || n / ${String(EVENTS_OF_A_USER)} || '@example.com', 'attributes', json_build_object()) end
     from generate_series(0, ${String(ROWS - 1)}) n`,
  );
  await pool.query(`analyze ${SCHEMA}.ledger; analyze public.users; checkpoint`);
}

/** An event in the middle of a history, of another user each time. */
async function someEvent({ pool }: BenchService, round: number): Promise<string> {
  const at = Math.floor(ROWS / 2) + round * 1000 + 5;
  const { rows } = await pool.query<{ id: string }>(
    `select event_id as id from ${SCHEMA}.ledger where generation = 0 and partition = 1 and "offset" = $1`,
    [at],
  );
  const id = rows[0]?.id;
  if (id === undefined) throw new Error(`there is no ledger row at offset ${String(at)}`);
  return id;
}
