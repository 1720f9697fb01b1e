import { setTimeout as delay } from 'node:timers/promises';
import type { BenchArguments } from '../frame/arguments.ts';
import { runCommand, startCommand } from '../frame/command.ts';
import { figure, percentile, under, type Figure } from '../frame/figure.ts';
import type { Stage } from '../frame/stage.ts';
import type { NewRecord } from '../../src/domain/record.ts';
import { seededRandom } from '../frame/random.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { corpus } from './corpus.ts';
import { openService, SCHEMA, type BenchService } from './service.ts';

const PARTITIONS = 4;
/** What is in the log and executed already, before anything is measured. */
const BEFORE = 2_000;
const START_LIMIT_MS = 1_000;
const MEDIAN_LIMIT_MS = 100;
const P99_LIMIT_MS = 300;
/** Enough for the 99th of a hundred to be more than the worst one. */
const EVENTS_WHILE_IDLE = 300;
/** Between two events, ms: no rhythm of the consumer's own meets them always at the same moment. */
const PAUSE_MS = { least: 20, most: 220 };
const ASSIGNED_WITHIN_MS = 30_000;

/** From the start of the process to the first commit, on a topic that the group has read to its end before. */
export async function measureStart(stage: Stage, { runs }: BenchArguments): Promise<readonly Figure[]> {
  const { service, rest } = await openUsedService(stage);
  const values: number[] = [];
  for (let run = 0; run <= runs; run++) {
    stage.say(`start: ${run === 0 ? 'warming up' : `run ${String(run)} of ${String(runs)}`}`);
    await service.log.append(rest.splice(0, PARTITIONS * 2));
    const { spawnedMs } = await runCommand(stage, ['consume', '--until-end', '--json'], service.env);
    const first = (await commitTimes(service)).find(({ ms }) => ms > spawnedMs);
    if (run > 0) values.push((first?.ms ?? Number.NaN) - spawnedMs);
  }
  const start = figure('start', 'from the start to the first event executed', 'ms', values);
  return [{ ...start, bar: under(start.median, START_LIMIT_MS, ' ms') }];
}

/** From just before an event is sent to the commit of its execution, by a consumer that has nothing else to do. */
export async function measureIdle(stage: Stage): Promise<readonly Figure[]> {
  const { service, rest } = await openUsedService(stage);
  stage.say(`idle: ${String(EVENTS_WHILE_IDLE)} events, one at a time`);
  const consumer = startCommand(stage, ['consume', '--json'], service.env);
  await waitFor(() => consumer.told().includes('Assigned'), {
    timeoutMs: ASSIGNED_WITHIN_MS,
    describe: () => `the assignment: ${consumer.told()}`,
  });
  const random = seededRandom(1);
  const sent = new Map<string, number>();
  for (let n = 0; n < EVENTS_WHILE_IDLE + 1; n++) {
    await delay(PAUSE_MS.least + random() * (PAUSE_MS.most - PAUSE_MS.least), undefined, {
      signal: stage.signal,
    });
    const sentMs = performance.timeOrigin + performance.now();
    const [position] = await service.log.append(rest.splice(0, 1));
    // The first one connects, here and there.
    if (n > 0) sent.set(`${String(position?.partition)}@${String(position?.offset)}`, sentMs);
  }
  const all = (): Promise<readonly Commit[]> => commitTimes(service);
  await waitFor(async () => (await all()).length === BEFORE + EVENTS_WHILE_IDLE + 1, {
    timeoutMs: ASSIGNED_WITHIN_MS,
    describe: () => 'the last event to be executed',
  });
  consumer.stop();
  await consumer.ended;
  const values = (await all()).flatMap(({ place, ms }) => {
    const sentMs = sent.get(place);
    return sentMs === undefined ? [] : [ms - sentMs];
  });
  const latency = figure('idle', 'from sent to executed while idle', 'ms', values);
  const p99 = percentile(values, 0.99);
  return [
    { ...latency, bar: under(latency.median, MEDIAN_LIMIT_MS, ' ms') },
    figure('idle', '99th percentile of it', 'ms', [p99], { bar: under(p99, P99_LIMIT_MS, ' ms') }),
  ];
}

/** A service whose group has executed a log to its end, and events that follow on it. */
async function openUsedService(stage: Stage): Promise<{ service: BenchService; rest: NewRecord[] }> {
  const records = [...corpus({ events: BEFORE + EVENTS_WHILE_IDLE * 2 })];
  const service = await openService(stage, PARTITIONS, records.slice(0, BEFORE));
  await runCommand(stage, ['consume', '--until-end', '--json'], service.env);
  return { service, rest: records.slice(BEFORE) };
}

interface Commit {
  /** `partition@offset`. */
  readonly place: string;
  /** ms since the epoch. */
  readonly ms: number;
}

async function commitTimes({ pool }: BenchService): Promise<readonly Commit[]> {
  const { rows } = await pool.query<Commit>(`select partition || '@' || "offset" as place,
      (extract(epoch from pg_xact_commit_timestamp(xmin)) * 1000)::float8 as ms
    from ${SCHEMA}.ledger order by ms`);
  return rows;
}
