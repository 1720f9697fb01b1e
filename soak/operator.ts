import { runCommand } from '../bench/frame/command.ts';
import type { Stage } from '../bench/frame/stage.ts';
import type { Fault } from './schedule.ts';
import { SCHEMA, type World } from './world.ts';

type Operation = Extract<Fault, { readonly nth: number }>;

/** Done; and done, but the event failed again. */
const DONE = [0, 7];
/** The database or the log was away, or somebody else had settled the event: no harm, and not done. */
const NOT_DONE = [4, 5, 6];

/** A command of the operator's about one failed event, beside the consumers. False: it was not carried out. */
export async function operate(
  { kind, nth }: Operation,
  { stage, world }: { readonly stage: Stage; readonly world: World },
): Promise<boolean> {
  const rows = await world.ask<{ event_id: string }>(
    `select event_id from (select *, count(*) over () as n, row_number() over (order by event_id) - 1 as at
       from ${SCHEMA}.ledger where status = 'failed' and user_id is not null) f where at = $1 % n`,
    [nth],
  );
  const [failed] = rows;
  if (failed === undefined) return false;
  const id = failed.event_id;
  const args = {
    retry: ['retry', id, '--yes'],
    skip: ['skip', id, '--reason', 'soak', '--yes'],
    rollback: ['rollback', '--event-id', id, '--cascade', '--yes'],
  };
  const { exitCode } = await runCommand(stage, args[kind], world.env.operator, {
    exits: [...DONE, ...NOT_DONE],
  });
  return DONE.includes(exitCode ?? 1);
}
