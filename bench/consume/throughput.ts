import type { BenchArguments } from '../frame/arguments.ts';
import { runCommand, type CommandRun } from '../frame/command.ts';
import { atLeast, figure, ratioOf, type Figure } from '../frame/figure.ts';
import { inTurn } from '../frame/in-turn.ts';
import { pin, pinningFault } from '../frame/pinning.ts';
import { familyCpuMs } from '../frame/process-usage.ts';
import type { Stage } from '../frame/stage.ts';
import { corpus, type CorpusShape } from './corpus.ts';
import { Floor } from './floor.ts';
import { readLimit } from './read-limit.ts';
import { openService, readTimeline, reset, type BenchService } from './service.ts';

export interface ThroughputPart {
  readonly name: string;
  readonly partitions: number;
  readonly shape: Omit<CorpusShape, 'events'>;
  /** The least share of the floor; null where the issue asks for none. */
  readonly bar: number | null;
  /** PostgreSQL on core 0, broker and consumer on core 1. */
  readonly isPinned: boolean;
}

const ALL_CORES = '0,1';
/** `consume` ends with 7 where events failed, as they do in one corpus. */
const EXITS = [0, 7];

/** The consumer beside its floor and the log's read limit, in turn. */
export async function measureThroughput(
  stage: Stage,
  { events, runs }: BenchArguments,
  part: ThroughputPart,
): Promise<readonly Figure[]> {
  const fault = part.isPinned ? await pinningFault() : null;
  if (fault !== null) {
    stage.say(`${part.name}: skipped, since ${fault}`);
    return [];
  }
  stage.say(`${part.name}: writing ${events.toLocaleString('en-US')} events, staging the floor`);
  const service = await openService(stage, part.partitions, corpus({ events, ...part.shape }));
  const floor = await Floor.stage(service);
  if (part.isPinned) await pinServers(stage, '0', '1');
  try {
    const cores = part.isPinned ? { cores: '1' } : {};
    const cpu = new CpuPerEvent((await stage.postgres()).pid, events);
    const takes = [
      () => cpu.ofPostgres('floor', () => floor.run()),
      () =>
        cpu.ofPostgres('consume', async () => {
          const { rate, run } = await consumeOnce(stage, service, events, cores);
          cpu.add('consumer', run.usage?.cpuMs ?? Number.NaN);
          cpu.add('waited', run.usage?.waitedMs ?? Number.NaN);
          return rate;
        }),
      () => readLimit(stage, service, cores),
    ];
    const [floors = [], rates = [], limits = []] = await inTurn(runs, takes, (round) => {
      stage.say(`${part.name}: ${round === 0 ? 'warming up' : `run ${String(round)} of ${String(runs)}`}`);
    });
    return figuresOf(part, { floors, rates, limits }, cpu);
  } finally {
    if (part.isPinned) await pinServers(stage, ALL_CORES, ALL_CORES);
  }
}

/** Runs `consume` over the whole log, from nothing: events a second from the assignment to the last commit. */
export async function consumeOnce(
  stage: Stage,
  service: BenchService,
  events: number,
  options: { readonly cores?: string; readonly nodeOptions?: readonly string[] } = {},
): Promise<{ rate: number; run: CommandRun }> {
  await reset(service);
  const args = ['consume', '--until-end', '--json'];
  const run = await runCommand(stage, args, service.env, { ...options, exits: EXITS });
  const timeline = await readTimeline(service);
  if (timeline.events !== events)
    throw new Error(`${String(timeline.events)} of ${String(events)} events were decided on`);
  return { rate: (events / (timeline.lastCommitMs - timeline.assignedMs)) * 1000, run };
}

async function pinServers(stage: Stage, postgres: string, others: string): Promise<void> {
  await pin((await stage.postgres()).pid, postgres);
  const broker = (await stage.kafka()).pid();
  if (broker !== null) await pin(broker, others);
  await pin(process.pid, others);
}

function figuresOf(
  { name, bar }: ThroughputPart,
  taken: Record<'floors' | 'rates' | 'limits', readonly number[]>,
  cpu: CpuPerEvent,
): readonly Figure[] {
  const ratio = ratioOf(taken.rates, taken.floors);
  return [
    figure(name, 'floor', 'events/s', taken.floors),
    figure(name, 'consume', 'events/s', taken.rates, {
      ratio,
      bar: bar === null ? null : atLeast(ratio.median, bar, ' of the floor'),
    }),
    figure(name, 'read limit of the log', 'events/s', taken.limits),
    figure(name, 'CPU of PostgreSQL, floor', 'us/event', cpu.warm('floor')),
    figure(name, 'CPU of PostgreSQL, consume', 'us/event', cpu.warm('consume')),
    figure(name, 'CPU of the consumer, start included', 'us/event', cpu.warm('consumer')),
    figure(name, 'consumer waiting for a core', 'us/event', cpu.warm('waited')),
  ];
}

/** What a run takes of the cores, us an event: unlike the rates, neighbours hardly change it. */
class CpuPerEvent {
  readonly #taken = new Map<string, number[]>();
  readonly #postgres: number;
  readonly #events: number;

  constructor(postgres: number, events: number) {
    this.#postgres = postgres;
    this.#events = events;
  }

  async ofPostgres(name: string, run: () => Promise<number>): Promise<number> {
    const before = await familyCpuMs(this.#postgres);
    const rate = await run();
    this.add(name, (await familyCpuMs(this.#postgres)) - before);
    return rate;
  }

  add(name: string, ms: number): void {
    this.#taken.set(name, [...(this.#taken.get(name) ?? []), (ms * 1000) / this.#events]);
  }

  /** Without the run to warm up. */
  warm(name: string): readonly number[] {
    return (this.#taken.get(name) ?? []).slice(1);
  }
}
