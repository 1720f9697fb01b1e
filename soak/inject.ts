import { setTimeout as pause } from 'node:timers/promises';
import { runCommand } from '../bench/frame/command.ts';
import type { Stage } from '../bench/frame/stage.ts';
import { topicAdmin } from '../test/support/topic-admin.ts';
import type { Members } from './members.ts';
import type { Producers } from './producers.ts';
import type { Fault } from './schedule.ts';
import { SCHEMA, type World } from './world.ts';

/** What the faults are done to. */
export interface Targets {
  readonly stage: Stage;
  readonly world: World;
  readonly members: Members;
  readonly producers: Producers;
  /** Told what a fault found wrong. */
  readonly onDifference: (text: string) => void;
}

/** A consumer learns of new partitions within 10 s where log and database answer; other faults keep it from that. */
const ADOPTED_WITHIN_MS = 120_000;
const POLL_MS = 200;
/** What an operator's command may end with: a database that is away at that moment is 4, an event that failed again 7 … */
const COMMAND_EXITS = [0, 4, 5, 6, 7];
/** What the client sends for a batch (its prepared statement's name), and at the end of a rollback's transaction. */
const SENT = { batch: 'user-events apply-batch', commit: 'COMMIT' };

/** What is broken at a time waits for its turn in one lane; different lanes overlap, as different troubles do. */
export function laneOf(fault: Fault): string {
  switch (fault.kind) {
    case 'consumer killed':
    case 'consumer killed at a point':
    case 'consumer paused':
    case 'consumer stopped':
      return `consumer ${String(fault.member)}`;
    case 'broker killed':
    case 'broker restarted':
      return 'broker';
    case 'database shut down at once':
      return 'database';
    case 'network silent':
    case 'connection cut':
      return 'network';
    case 'retry':
    case 'skip':
    case 'rollback':
      return 'operator';
    default:
      return fault.kind;
  }
}

/** Does it, and resolves when it is over: what was stopped runs again. */
export async function inject(fault: Fault, targets: Targets): Promise<void> {
  const { stage, world, members, producers } = targets;
  const wait = (ms: number): Promise<unknown> =>
    pause(ms, undefined, { signal: stage.signal }).catch(() => undefined);
  switch (fault.kind) {
    case 'consumer killed':
      return members.kill(fault.member);
    case 'consumer killed at a point':
      return members.kill(fault.member, `${fault.point}:${String(fault.times)}`);
    case 'consumer paused':
      return members.freeze(fault.member, fault.ms, stage.signal);
    case 'consumer stopped':
      return members.restart(fault.member);
    case 'number of consumers changed':
      return members.setCount(fault.count);
    case 'broker killed':
      await world.kafka.kill9();
      await wait(fault.ms);
      return world.kafka.restart();
    case 'broker restarted':
      return world.kafka.restart();
    case 'database shut down at once':
      await world.shutDatabaseDown();
      await wait(fault.ms);
      return world.startDatabase();
    case 'backends terminated':
      return terminateBackends(world);
    case 'connection cut':
      world.proxy.cutAt(SENT[fault.at], fault.moment);
      return;
    case 'network silent':
      world.proxy.swallow();
      await wait(fault.ms);
      world.proxy.heal();
      return;
    case 'users table locked':
      return lockTable(world, () => wait(fault.ms));
    case 'retry':
    case 'skip':
    case 'rollback':
      return operate(fault.kind, fault.nth, targets);
    case 'partitions added':
      return addPartitions(fault.count, targets);
    case 'range replayed':
      producers.replay(fault.records);
      return;
  }
}

async function terminateBackends({ pool }: World): Promise<void> {
  await untilAnswered(() =>
    pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'user-events'`,
    ),
  );
}

/** Another session holds the users table, as a migration does. A database that is shut down meanwhile takes the lock along. */
async function lockTable({ pool }: World, wait: () => Promise<unknown>): Promise<void> {
  const client = await untilAnswered(() => pool.connect());
  let broken: Error | undefined;
  client.on('error', (error) => (broken = error));
  try {
    await client.query('begin; lock table public.users in share mode');
    await wait();
    await client.query('rollback');
  } catch (error) {
    broken ??= error instanceof Error ? error : new Error(String(error));
  } finally {
    client.release(broken);
  }
}

/** A command of the operator's about one failed event, beside the consumers. */
async function operate(kind: 'retry' | 'skip' | 'rollback', nth: number, targets: Targets): Promise<void> {
  const { stage, world, onDifference } = targets;
  const { rows } = await untilAnswered(() =>
    world.pool.query<{ event_id: string }>(
      `select event_id from (select *, count(*) over () as n, row_number() over (order by event_id) - 1 as at
         from ${SCHEMA}.ledger where status = 'failed' and user_id is not null) f where at = $1 % n`,
      [nth],
    ),
  );
  const [failed] = rows;
  if (failed === undefined) return;
  const id = failed.event_id;
  const args = {
    retry: ['retry', id, '--yes'],
    skip: ['skip', id, '--reason', 'soak', '--yes'],
    rollback: ['rollback', '--event-id', id, '--cascade', '--yes'],
  };
  await runCommand(stage, args[kind], world.env.operator, { exits: COMMAND_EXITS }).catch(
    (error: unknown) => {
      if (!stage.signal.aborted) onDifference(`${kind} ${id}: ${String(error)}`);
    },
  );
}

/**
 * Nothing is sent meanwhile, and until the group has noticed: what a producer still sends to the old partitions has no
 * order with what others send to the new ones, in Kafka itself.
 */
async function addPartitions(
  count: number,
  { stage, world, producers, onDifference }: Targets,
): Promise<void> {
  await producers.stop();
  const log = world.openLog();
  try {
    const total = (await log.watermarks()).length + count;
    await untilAnswered(async () => {
      const isDone = (await log.watermarks()).length === total;
      if (!isDone) await topicAdmin(() => world.kafka.brokers).addPartitions(world.topic, total);
    });
    const deadline = performance.now() + ADOPTED_WITHIN_MS;
    for (;;) {
      const { rows } = await untilAnswered(() =>
        world.pool.query<{ partition_count: number }>(`select partition_count from ${SCHEMA}.binding`),
      );
      if (rows[0]?.partition_count === total || stage.signal.aborted) break;
      if (performance.now() > deadline) {
        onDifference(`${String(total)} partitions were not noticed in ${String(ADOPTED_WITHIN_MS / 1000)} s`);
        break;
      }
      await pause(POLL_MS);
    }
  } finally {
    await log.close();
    producers.start((error) => {
      onDifference(`a producer ended: ${String(error)}`);
    });
  }
}

/** The soak's own question to a database that may be away at the moment. */
async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (attempt === 300) throw error;
      await pause(POLL_MS);
    }
  }
}
