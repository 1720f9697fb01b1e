import { cp, mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Stage } from '../bench/frame/stage.ts';
import { seededRandom } from '../bench/frame/random.ts';
import type { SoakArguments } from './arguments.ts';
import { countExecuted, countStatuses, findBroken, findDifferences } from './check.ts';
import { Consumer } from './consumer.ts';
import { inject, laneOf, type Targets } from './inject.ts';
import { Members, type PointInTime } from './members.ts';
import { Producers } from './producers.ts';
import type { SoakResult } from './report.ts';
import { scheduleOf, type Fault, type Step } from './schedule.ts';
import { createWorld, type World } from './world.ts';

/** Of a batch, events: from few, which still are more than is sent in a second, to what a consumer takes by itself. */
const BATCH_SIZES = [10, 50, 200, 500, 2_000];
const FIRST_MEMBERS = 2;
const LOOK_EVERY_MS = 20_000;

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
    () => countExecuted(world),
    (error) => {
      onDifference(`a producer ended: ${String(error)}`);
    },
  );
  producers.start();
  await members.setCount(FIRST_MEMBERS);
  stage.say(`Soak of ${String(minutes)} minutes, seed ${String(seed)}, at ${new Date().toISOString()}`);
  const targets = { stage, world, members, producers, onDifference };
  const over = new AbortController();
  const looking = lookNowAndThen(world, AbortSignal.any([stage.signal, over.signal]), onDifference);
  const injected = await run(scheduleOf(seed, minutes * 60_000), minutes * 60_000, targets);
  over.abort();
  const looks = await looking;
  stage.say('Coming to rest');
  await producers.stop();
  await members.setCount(0);
  stage.signal.throwIfAborted();
  stage.say('Comparing');
  differences.push(...members.unasked, ...(await findDifferences(stage, world, producers.orderly)));
  const elapsedMs = performance.now() - startedAt;
  const statuses = await countStatuses(world);
  const kept = differences.length === 0 ? null : await keep(logs, seed);
  return {
    seed,
    minutes,
    elapsedMs,
    injected,
    sent: producers.sent,
    statuses,
    differences,
    looks,
    logs: kept,
  };
}

/** Looks at I1 to I5 under way, which hold at every moment. Returns how often. */
async function lookNowAndThen(
  world: World,
  over: AbortSignal,
  onDifference: (text: string) => void,
): Promise<number> {
  const log = world.openLog();
  let looks = 0;
  for (;;) {
    await pause(LOOK_EVERY_MS, undefined, { signal: over }).catch(() => undefined);
    if (over.aborted) break;
    const broken = await findBroken(world, log).catch((error: unknown) => [String(error)]);
    for (const text of broken) onDifference(`under way, look ${String(looks + 1)}: ${text}`);
    looks++;
  }
  await log.close();
  return looks;
}

/** Starts one consumer after the other, each with a batch size that the seed draws; every second one has kafkajs's codec. */
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
    const codec = { USER_EVENTS_FAST_CODEC: spawned % 2 === 0 ? 'off' : 'on' };
    return new Consumer({ env: { ...env, ...codec }, batchSize, point, logFile });
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
