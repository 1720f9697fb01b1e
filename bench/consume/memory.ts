import type { BenchArguments } from '../frame/arguments.ts';
import { runCommand } from '../frame/command.ts';
import { figure, under, type Figure } from '../frame/figure.ts';
import type { Stage } from '../frame/stage.ts';
import { corpus } from './corpus.ts';
import { openService, reset } from './service.ts';

const LIMIT_MIB = 250;
/** Times `--events`: 200 thousand, a million, two millions. */
const SIZES = [1, 5, 10];
const LARGEST = Math.max(...SIZES);
const PARTITIONS = 4;

/**
 * The peak of the consumer's resident memory while it catches up: each run begins with nothing executed and the whole log,
 * two million events unless said, before it, and goes through a part of it. Flat is what it should be.
 */
export async function measureMemory(stage: Stage, { events }: BenchArguments): Promise<readonly Figure[]> {
  const behind = events * LARGEST;
  stage.say(`memory: writing ${behind.toLocaleString('en-US')} events`);
  const service = await openService(stage, PARTITIONS, corpus({ events: behind }));
  const figures: Figure[] = [];
  for (const size of SIZES) {
    const count = size * events;
    stage.say(`memory: executing ${count.toLocaleString('en-US')} events`);
    await reset(service);
    const ending = size === LARGEST ? ['--until-end'] : ['--max-events', String(count)];
    const { usage } = await runCommand(stage, ['consume', '--json', ...ending], service.env);
    const mib = (usage?.peakRssBytes ?? Number.NaN) / 2 ** 20;
    const name = `peak over ${count.toLocaleString('en-US')} events, from ${behind.toLocaleString('en-US')} behind`;
    figures.push(figure('memory', name, 'MiB', [mib], { bar: under(mib, LIMIT_MIB, ' MiB') }));
  }
  return figures;
}
