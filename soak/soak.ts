import { cp, mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Stage } from '../bench/frame/stage.ts';
import { seededRandom } from '../bench/frame/random.ts';
import type { SoakArguments } from './arguments.ts';
import { countStatuses, findDifferences } from './check.ts';
import { Consumer } from './consumer.ts';
import { inject, laneOf, type Targets } from './inject.ts';
import { Members, type PointInTime } from './members.ts';
import { Producers } from './producers.ts';
import type { SoakResult } from './report.ts';
import { scheduleOf, type Fault, type Step } from './schedule.ts';
import { createWorld } from './world.ts';

/** Of a batch, from one event to what a consumer takes by itself. */
const BATCH_SIZES = [1, 7, 50, 200, 500, 2_000];
const FIRST_MEMBERS = 2;

/** Runs producers, consumers and faults for as long as asked, then lets all of it come to rest and compares. */
export async function soak(stage: Stage, { seed, minutes }: SoakArguments): Promise<SoakResult> {
  const startedAt = performance.now();
  const world = await createWorld(stage);
  const logs = path.join(await stage.folder(), 'consumers');
  await mkdir(logs);
  const members = new Members(spawner(seed, world.env.consumer, logs));
  stage.onClose(() => members.killAll());
  const differences: string[] = [];
  const onDifference = (text: string): void => {
    stage.say(`✗ ${text}`);
    differences.push(text);
  };
  const producers = new Producers(
    seed,
    () => world.openLog(),
    (error) => {
      onDifference(`a producer ended: ${String(error)}`);
    },
  );
  producers.start();
  await members.setCount(FIRST_MEMBERS);
  stage.say(`Soak of ${String(minutes)} minutes, seed ${String(seed)}`);
  const injected = await run(scheduleOf(seed, minutes * 60_000), minutes * 60_000, {
    ...{ stage, world, members, producers, onDifference },
  });
  stage.say('Coming to rest');
  await producers.stop();
  await members.setCount(0);
  stage.signal.throwIfAborted();
  stage.say('Comparing');
  differences.push(...members.unasked, ...(await findDifferences(stage, world, producers.orderly)));
  const elapsedMs = performance.now() - startedAt;
  const statuses = await countStatuses(world);
  const kept = differences.length === 0 ? null : await keep(logs, seed);
  return { seed, minutes, elapsedMs, injected, sent: producers.sent, statuses, differences, logs: kept };
}

/** Starts one consumer after the other, each with a batch size that the seed draws. */
function spawner(
  seed: number,
  env: Readonly<Record<string, string>>,
  folder: string,
): (point?: PointInTime) => Consumer {
  const random = seededRandom(seed + 1);
  let spawned = 0;
  return (point) => {
    const batchSize = BATCH_SIZES[Math.floor(random() * BATCH_SIZES.length)] ?? 200;
    const logFile = path.join(folder, `${String(++spawned).padStart(3, '0')}.log`);
    return new Consumer({ env, batchSize, point, logFile });
  };
}

/** What the consumers said outlives the soak where something differs. */
async function keep(logs: string, seed: number): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), `user-events-soak-${String(seed)}-`));
  await cp(logs, folder, { recursive: true });
  return folder;
}

/** Begins every step at its time, in order; resolves when all are over. Returns how often what has happened. */
async function run(
  schedule: readonly Step[],
  durationMs: number,
  targets: Targets & { readonly onDifference: (text: string) => void },
): Promise<Map<string, number>> {
  const { stage, onDifference } = targets;
  const injected = new Map<string, number>();
  const lanes = new Map<string, Promise<void>>();
  const startedAt = performance.now();
  const elapsed = (): string => ((performance.now() - startedAt) / 1000).toFixed(1).padStart(7);
  const until = (atMs: number): Promise<unknown> =>
    pause(Math.max(0, startedAt + atMs - performance.now()), undefined, { signal: stage.signal });
  const take = async (fault: Fault): Promise<void> => {
    const { kind, ...terms } = fault;
    stage.say(`${elapsed()} s  ${kind} ${Object.values(terms).join(' ')}`);
    try {
      await inject(fault, targets);
      injected.set(kind, (injected.get(kind) ?? 0) + 1);
    } catch (error) {
      if (!stage.signal.aborted) onDifference(`${kind} was not injected: ${String(error)}`);
    }
  };
  for (const { atMs, fault } of schedule) {
    await until(atMs);
    const before = lanes.get(laneOf(fault)) ?? Promise.resolve();
    lanes.set(
      laneOf(fault),
      before.then(() => take(fault)),
    );
  }
  await until(durationMs);
  await Promise.all(lanes.values());
  return injected;
}
