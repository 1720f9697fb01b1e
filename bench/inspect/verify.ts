import { corpus } from '../consume/corpus.ts';
import { openService, SCHEMA, type BenchService } from '../consume/service.ts';
import type { BenchArguments } from '../frame/arguments.ts';
import { runCommand } from '../frame/command.ts';
import { figure, ratioOf, under, type Figure } from '../frame/figure.ts';
import { inTurn } from '../frame/in-turn.ts';
import type { Stage } from '../frame/stage.ts';

const PART = 'verify';
/** Times `--events`: a million, unless said. */
const SIZE = 2;
const PARTITIONS = 4;
/** Times the floor. */
const BAR = 2;
const LIMIT_MIB = 250;

/**
 * `verify` of a ledger and its users table beside bare SQL that reads both tables whole, every column of every row, and
 * throws it away on the server (`copy … to '/dev/null'`). Verify's time is that of the whole process.
 */
export async function measureVerify(
  stage: Stage,
  { events, runs }: BenchArguments,
): Promise<readonly Figure[]> {
  const count = events * SIZE;
  stage.say(`${PART}: writing ${count.toLocaleString('en-US')} events`);
  const service = await openService(stage, PARTITIONS, corpus({ events: count }));
  stage.say(`${PART}: executing them`);
  await runCommand(stage, ['consume', '--until-end', '--json'], service.env);
  await service.pool.query(`vacuum analyze ${SCHEMA}.ledger, public.users`);
  await service.pool.query('checkpoint');
  const peaks: number[] = [];
  const verify = async (): Promise<number> => {
    const startedMs = performance.now();
    const { usage } = await runCommand(stage, ['verify', '--json'], service.env);
    const elapsedMs = performance.now() - startedMs;
    peaks.push((usage?.peakRssBytes ?? Number.NaN) / 2 ** 20);
    return elapsedMs;
  };
  const takes = [() => readBoth(service), verify];
  const [floors = [], ours = []] = await inTurn(runs, takes, (round) => {
    stage.say(`${PART}: ${round === 0 ? 'warming up' : `run ${String(round)} of ${String(runs)}`}`);
  });
  const ratio = ratioOf(ours, floors);
  const peak = figure(PART, 'peak of memory', 'MiB', peaks);
  return [
    figure(PART, 'reading both tables by SQL', 'ms', floors),
    figure(PART, `verify of ${count.toLocaleString('en-US')} events`, 'ms', ours, {
      ratio,
      bar: under(ratio.median, BAR),
    }),
    { ...peak, bar: under(peak.max, LIMIT_MIB, ' MiB') },
  ];
}

async function readBoth({ pool }: BenchService): Promise<number> {
  const startedMs = performance.now();
  await pool.query(`copy ${SCHEMA}.ledger to '/dev/null'`);
  await pool.query(`copy public.users to '/dev/null'`);
  return performance.now() - startedMs;
}
