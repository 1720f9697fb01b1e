import { setTimeout as pause } from 'node:timers/promises';
import type { Stage } from '../bench/frame/stage.ts';
import { seededRandom } from '../bench/frame/random.ts';
import type { SoakArguments } from './arguments.ts';
import { countStatuses, findDifferences } from './check.ts';
import { inject, laneOf, type Targets } from './inject.ts';
import { Members } from './members.ts';
import { Producers } from './producers.ts';
import type { SoakResult } from './report.ts';
import { scheduleOf, type Step } from './schedule.ts';
import { createWorld } from './world.ts';

/** Of a batch, from one event to what a consumer takes by itself. */
const BATCH_SIZES = [1, 7, 50, 200, 500, 2_000];
const FIRST_MEMBERS = 2;

/** Runs producers, consumers and faults for as long as asked, then lets all of it come to rest and compares. */
export async function soak(stage: Stage, { seed, minutes }: SoakArguments): Promise<SoakResult> {
  const startedAt = performance.now();
  const world = await createWorld(stage);
  const random = seededRandom(seed + 1);
  const members = new Members(
    world.env.consumer,
    () => BATCH_SIZES[Math.floor(random() * BATCH_SIZES.length)] ?? 200,
  );
  stage.onClose(async () => {
    await members.killAll();
  });
  const producers = new Producers(seed, () => world.openLog());
  const differences: string[] = [];
  const onDifference = (text: string): void => {
    differences.push(text);
  };
  producers.start((error) => {
    onDifference(`a producer ended: ${String(error)}`);
  });
  await members.setCount(FIRST_MEMBERS);
  stage.say(`Soak of ${String(minutes)} minutes, seed ${String(seed)}`);
  const schedule = scheduleOf(seed, minutes * 60_000);
  const injected = await run(schedule, minutes * 60_000, { stage, world, members, producers, onDifference });
  stage.say('Coming to rest');
  await producers.stop();
  await members.stop();
  stage.signal.throwIfAborted();
  stage.say('Comparing');
  differences.push(...members.unasked, ...(await findDifferences(stage, world, producers.orderly)));
  if (members.atPoint > 0) injected.set('… which it reached', members.atPoint);
  const elapsedMs = performance.now() - startedAt;
  const statuses = await countStatuses(world);
  return { seed, minutes, elapsedMs, injected, sent: producers.sent, statuses, differences };
}

/** Begins every step at its time, in order; resolves when all are over. Returns how often what was done. */
async function run(
  schedule: readonly Step[],
  durationMs: number,
  targets: Targets,
): Promise<Map<string, number>> {
  const { stage, onDifference } = targets;
  const injected = new Map<string, number>();
  const lanes = new Map<string, Promise<void>>();
  const startedAt = performance.now();
  const until = (atMs: number): Promise<unknown> =>
    pause(Math.max(0, startedAt + atMs - performance.now()), undefined, { signal: stage.signal });
  for (const { atMs, fault } of schedule) {
    await until(atMs);
    const { kind, ...terms } = fault;
    stage.say(`${(atMs / 1000).toFixed(1).padStart(7)} s  ${kind} ${Object.values(terms).join(' ')}`);
    injected.set(kind, (injected.get(kind) ?? 0) + 1);
    const lane = laneOf(fault);
    const before = lanes.get(lane) ?? Promise.resolve();
    const done = before
      .then(() => inject(fault, targets))
      .catch((error: unknown) => {
        if (!stage.signal.aborted) onDifference(`${kind} could not be injected: ${String(error)}`);
      });
    lanes.set(lane, done);
  }
  await until(durationMs);
  await Promise.all(lanes.values());
  return injected;
}
