import type { Stage } from '../bench/frame/stage.ts';
import type { EventLog } from '../src/log/event-log.ts';
import { topicAdmin } from '../test/support/topic-admin.ts';
import { waitFor } from '../test/support/wait-for.ts';
import type { Producers } from './producers.ts';
import { SCHEMA, type World } from './world.ts';

interface Grown {
  readonly stage: Stage;
  readonly world: World;
  readonly producers: Producers;
}

/** A consumer learns of new partitions within 10 s where log and database answer; other faults keep it from that. */
const ADOPTED_WITHIN_MS = 240_000;
/** Rollbacks that go to an old partition after the growth. */
const ROLLBACKS = 40;

/**
 * Adds partitions. With a count that is no multiple of the old one all is executed first (docs/adr/0013). Nothing is sent meanwhile, and until the group has noticed: what a producer still sends to the
 * old partitions has no order with what others send to the new ones, in Kafka itself. Then some users' events are rolled
 * back as `rollback` does it, in the partition of their newest event, and nothing newer is sent before they are decided.
 */
export async function addPartitions(
  count: number | 'double',
  { stage, world, producers }: Grown,
): Promise<boolean> {
  await producers.stop();
  const log = world.openLog();
  const patient = { timeoutMs: ADOPTED_WITHIN_MS };
  try {
    const before = await waitFor(() => log.watermarks().then((marks) => marks.length), {
      ...patient,
      describe: 'the watermarks',
    });
    const total = before + (count === 'double' ? before : count);
    if (total % before !== 0) {
      await waitFor(() => stage.signal.aborted || isExecuted(world, log), {
        ...patient,
        describe: 'all to be executed',
      });
    }
    const isAdded = async (): Promise<boolean> => {
      if ((await log.watermarks()).length === total) return true;
      await topicAdmin(() => world.kafka.brokers).addPartitions(world.topic, total);
      return false;
    };
    await waitFor(isAdded, { ...patient, describe: `${String(total)} partitions` });
    const isNoticed = (): Promise<boolean> =>
      answersYes(world, `select from ${SCHEMA}.binding where partition_count = $1`, total);
    await waitFor(() => stage.signal.aborted || isNoticed(), {
      ...patient,
      describe: 'the growth to be noticed',
    });
    producers.partitions = total;
    const ids = await producers.rollBack(log, ROLLBACKS);
    const areDecided = (): Promise<boolean> =>
      answersYes(
        world,
        `select from ${SCHEMA}.ledger where event_id = any ($1) having count(*) = cardinality($1)`,
        ids,
      );
    await waitFor(() => stage.signal.aborted || areDecided(), {
      ...patient,
      describe: 'the rollbacks to be decided',
    }).catch(async (error: unknown) => {
      throw new Error(`${String(error)}: ${await undecided(world, log, ids)}`);
    });
    return true;
  } finally {
    await log.close();
    producers.start();
  }
}

async function isExecuted(world: World, log: EventLog): Promise<boolean> {
  const marks = await log.watermarks();
  const rows = await world.ask<{ next_offset: bigint }>(
    `select next_offset from ${SCHEMA}.position order by partition`,
  );
  return marks.every(({ partition, high }) => rows[partition]?.next_offset === high);
}

/** Which of the events are not in the ledger, and where the partitions stand. */
async function undecided(world: World, log: EventLog, ids: readonly string[]): Promise<string> {
  const missing = await world.ask<{ id: string }>(
    `select id from unnest($1::text[]) as i(id) where id::uuid not in (select event_id from ${SCHEMA}.ledger)`,
    [ids],
  );
  const positions = await world.ask<{ partition: number; generation: number; next_offset: bigint }>(
    `select partition, generation, next_offset from ${SCHEMA}.position order by partition`,
  );
  const marks = new Map((await log.watermarks()).map(({ partition, high }) => [partition, high]));
  const places = positions.map(
    ({ partition, generation, next_offset }) =>
      `${String(partition)}/${String(generation)} at ${String(next_offset)} of ${String(marks.get(partition))}`,
  );
  return `${missing.map(({ id }) => id).join(', ')}; ${places.join(', ')}`;
}

async function answersYes(world: World, text: string, value: unknown): Promise<boolean> {
  return (await world.ask(text, [value])).length > 0;
}
