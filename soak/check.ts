import { runCommand } from '../bench/frame/command.ts';
import type { Stage } from '../bench/frame/stage.ts';
import type { EventLog } from '../src/log/event-log.ts';
import { waitFor } from '../test/support/wait-for.ts';
import { brokenGuarantees, committedBeyond } from '../test/support/invariants.ts';
import type { OrderlyUser } from './traffic.ts';
import { SCHEMA, type World } from './world.ts';

/** The columns that events write. */
const COLUMNS = ['name', 'email', 'age', 'note'];

/** Other faults have them away for seconds at most. */
const ANSWERED_WITHIN_MS = 120_000;

interface UserRow {
  readonly [column: string]: unknown;
}

/** While consumers work and faults go on: what I1 to I5 say of this moment. Waits for a database or log that is away. */
export function findBroken({ pool, group }: World, log: EventLog): Promise<readonly string[]> {
  return waitFor(
    async () => [
      ...(await brokenGuarantees(pool, SCHEMA, COLUMNS)),
      ...(await committedBeyond(pool, SCHEMA, log, group)),
    ],
    { timeoutMs: ANSWERED_WITHIN_MS, describe: 'the database and the log to answer' },
  );
}

/** Executes the log to its end and looks for what differs. Empty: nothing does. */
export async function findDifferences(
  stage: Stage,
  world: World,
  orderly: readonly OrderlyUser[],
): Promise<readonly string[]> {
  const { operator } = world.env;
  const failures: string[] = [];
  const run = async (args: readonly string[], exits: readonly number[]): Promise<void> => {
    await runCommand(stage, args, operator, { exits }).catch((error: unknown) =>
      failures.push(String(error)),
    );
  };
  // 7: events failed, which is what the poison is for.
  await run(['consume', '--until-end', '--json'], [0, 7]);
  const log = world.openLog();
  const found = [
    ...(await findBroken(world, log)),
    ...(await notAtTheEnd(world, await log.watermarks())),
    ...(await statusesDiffer(world, orderly)),
    ...(await rowsDiffer(world, orderly)),
  ];
  await log.close();
  await run(['verify', '--from-log', '--exact', '--json'], [0]);
  return [...found, ...failures];
}

async function notAtTheEnd(
  { pool }: World,
  marks: readonly { readonly partition: number; readonly high: bigint }[],
): Promise<string[]> {
  const { rows } = await pool.query<{ partition: number; next_offset: bigint }>(
    `select partition, next_offset from ${SCHEMA}.position`,
  );
  const positions = new Map(rows.map(({ partition, next_offset }) => [partition, next_offset]));
  return marks
    .filter(({ partition, high }) => (positions.get(partition) ?? 0n) !== high)
    .map(
      ({ partition, high }) =>
        `partition ${String(partition)} is executed to ${String(positions.get(partition))} of ${String(high)}`,
    );
}

/** Of orderly users every event has the status that the plain model gives it. */
async function statusesDiffer({ pool }: World, orderly: readonly OrderlyUser[]): Promise<string[]> {
  const { rows } = await pool.query<{ event_id: string; status: string }>(
    `select event_id, status from ${SCHEMA}.ledger where user_id like 'orderly-%'`,
  );
  const statuses = new Map(rows.map(({ event_id, status }) => [event_id, status]));
  return orderly.flatMap(({ userId, model, ids }) =>
    model.statuses.flatMap(([id, wanted]) => {
      const eventId = ids[id] ?? '';
      const status = statuses.get(eventId) ?? 'not in the ledger';
      return status === wanted ? [] : [`${eventId} of ${userId} is ${status}, not ${wanted}`];
    }),
  );
}

/** And their rows are the model's. */
async function rowsDiffer({ pool }: World, orderly: readonly OrderlyUser[]): Promise<string[]> {
  const { rows } = await pool.query<UserRow>(`select * from public.users where user_id like 'orderly-%'`);
  const found = new Map(rows.map((row) => [String(row['user_id']), row]));
  return orderly.flatMap(({ userId, model }) => {
    const [want, have] = [model.rows[userId], found.get(userId)];
    if (want === undefined || have === undefined) {
      return want === have
        ? []
        : [`${userId} is ${have === undefined ? 'missing' : 'there and should not be'}`];
    }
    const off = COLUMNS.filter((column) => (want[column] ?? null) !== (have[column] ?? null));
    return off.length === 0 ? [] : [`${userId} differs in ${off.join(', ')}`];
  });
}

/** How many records are decided on. Waits for a database that is away. */
export async function countExecuted(world: World): Promise<number> {
  const [row] = await world.ask<{ n: number }>(
    `select coalesce(sum(next_offset), 0)::int as n from ${SCHEMA}.position`,
  );
  return row?.n ?? 0;
}

/** How many events have which status. */
export async function countStatuses({ pool }: World): Promise<ReadonlyMap<string, number>> {
  const { rows } = await pool.query<{ what: string; n: number }>(
    `select status || coalesce(' ' || error_code, '') as what, count(*)::int as n from ${SCHEMA}.ledger group by 1
     union all select 'duplicate', sum(duplicates)::int from ${SCHEMA}.position order by 1`,
  );
  return new Map(rows.map(({ what, n }) => [what, n]));
}
