import { setTimeout as pause } from 'node:timers/promises';
import type { Stage } from '../bench/frame/stage.ts';
import { waitFor } from '../test/support/wait-for.ts';
import { holdLock, terminateBackends } from './database-faults.ts';
import { addPartitions } from './growth.ts';
import type { Members } from './members.ts';
import { operate } from './operator.ts';
import type { Producers } from './producers.ts';
import { MOST_CONSUMERS, type Fault } from './schedule.ts';
import type { World } from './world.ts';

/** What the faults are done to. */
export interface Targets {
  readonly stage: Stage;
  readonly world: World;
  readonly members: Members;
  readonly producers: Producers;
}

/** A fault that others keep from happening (nobody works while the database is away) is tried so long. */
const HAPPENS_WITHIN_MS = 180_000;
const POLL_MS = 200;
/** What the client sends for a batch (its prepared statement's name), and at the end of a rollback's transaction. */
const SENT = { batch: 'user-events apply-batch', commit: 'commit\0' };

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

/**
 * Does it, and resolves when it has really happened and is over: what was stopped runs again. What other faults kept
 * from happening is tried again; rejects where it does not happen in 180 s.
 */
export async function inject(fault: Fault, targets: Targets): Promise<void> {
  const deadline = performance.now() + HAPPENS_WITHIN_MS;
  while (!(await attempt(fault, targets)) && !targets.stage.signal.aborted) {
    if (performance.now() > deadline) throw new Error('other faults left no moment for it');
    await pause(POLL_MS);
  }
}

/** Whether it has happened. */
async function attempt(fault: Fault, targets: Targets): Promise<boolean> {
  const { stage, world, members, producers } = targets;
  const wait = (ms: number): Promise<unknown> =>
    pause(ms, undefined, { signal: stage.signal }).catch(() => undefined);
  switch (fault.kind) {
    case 'consumer killed':
      return members.kill(fault.member, () => wait(fault.afterMs));
    case 'consumer killed at a point':
      return members.killAt(fault.member, `${fault.point}:${fault.times}`);
    case 'consumer paused':
      return members.freeze(
        fault.member,
        () => wait(fault.afterMs),
        () => wait(fault.ms),
      );
    case 'consumer stopped':
      return members.restart(fault.member);
    case 'number of consumers changed':
      return (await members.setCount(fault.count)) || members.setCount((fault.count % MOST_CONSUMERS) + 1);
    case 'broker killed':
      await world.kafka.kill9();
      await wait(fault.ms);
      await world.kafka.restart();
      return true;
    case 'broker restarted':
      await world.kafka.restart();
      return true;
    case 'database shut down at once':
      await world.shutDatabaseDown();
      await wait(fault.ms);
      await world.startDatabase();
      return true;
    case 'backends terminated':
      return terminateBackends(world);
    case 'connection cut':
      world.proxy.cutAt(SENT[fault.at], fault.moment);
      await waitFor(() => !world.proxy.isToCut, { timeoutMs: HAPPENS_WITHIN_MS, describe: 'its moment' });
      return true;
    case 'network silent':
      world.proxy.swallow();
      await wait(fault.ms);
      world.proxy.heal();
      return true;
    case 'users table locked':
      return holdLock(world, () => wait(fault.ms));
    case 'retry':
    case 'skip':
    case 'rollback':
      return operate(fault, targets);
    case 'partitions added':
      return addPartitions(fault.count, targets);
    case 'range replayed':
      return producers.replay(fault.records);
  }
}
