import { openService, SCHEMA, type BenchService } from '../consume/service.ts';
import { corpus } from '../consume/corpus.ts';
import type { BenchArguments } from '../frame/arguments.ts';
import { runCommand } from '../frame/command.ts';
import { under, figure, type Figure } from '../frame/figure.ts';
import type { Stage } from '../frame/stage.ts';
import { fillLedger, LARGE_LEDGER } from './large-ledger.ts';
import { startUpMs } from './start-up.ts';

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
  await fillLedger(stage, service);
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

/** An event in the middle of a history, of another user each time. */
async function someEvent({ pool }: BenchService, round: number): Promise<string> {
  const at = Math.floor(LARGE_LEDGER / 2) + round * 1000 + 5;
  const { rows } = await pool.query<{ id: string }>(
    `select event_id as id from ${SCHEMA}.ledger where generation = 0 and partition = 1 and "offset" = $1`,
    [at],
  );
  const id = rows[0]?.id;
  if (id === undefined) throw new Error(`there is no ledger row at offset ${String(at)}`);
  return id;
}
