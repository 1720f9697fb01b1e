import type { BenchArguments } from '../frame/arguments.ts';
import { CLI } from '../frame/command.ts';
import { atLeast, figure, ratioOf, type Figure } from '../frame/figure.ts';
import { inTurn } from '../frame/in-turn.ts';
import type { Stage } from '../frame/stage.ts';
import { isInstalled, runProgram } from './program.ts';
import { fillTopic } from './filled-topic.ts';

const PART = 'scan';
/** As many events as kcat in the same time; one user's in half the time. */
const SCAN_BAR = 1;
const USER_BAR = 2;

/** `log --json` beside `kcat -J`, and one user's events beside kcat's whole scan through grep: whole processes. */
export async function measureScan(
  stage: Stage,
  { events, runs }: BenchArguments,
): Promise<readonly Figure[]> {
  if (!(await isInstalled(stage, 'kcat', '-V'))) {
    stage.say(`${PART}: skipped, since there is no kcat here`);
    return [];
  }
  const { brokers, topic, userId } = await fillTopic(stage, events);
  const env = { KAFKA_BROKERS: brokers, KAFKA_TOPIC: topic, USER_ID: userId };
  const kcat = ['-C', '-b', brokers, '-t', topic, '-e', '-q', '-J'];
  const rateOf = async (program: string, args: readonly string[]): Promise<number> => {
    const { elapsedMs } = await runProgram(stage, program, args, { env });
    return (events / elapsedMs) * 1000;
  };
  const takes = [
    () => rateOf('kcat', kcat),
    () => rateOf(process.execPath, [CLI, 'log', '--json']),
    () => rateOf('sh', ['-c', 'kcat "$@" | grep -F "$USER_ID"', 'sh', ...kcat]),
    () => rateOf(process.execPath, [CLI, 'log', '--json', '--user', userId]),
  ];
  const [scans = [], ours = [], greps = [], users = []] = await inTurn(runs, takes, (round) => {
    stage.say(`${PART}: ${round === 0 ? 'warming up' : `run ${String(round)} of ${String(runs)}`}`);
  });
  const scan = ratioOf(ours, scans);
  const user = ratioOf(users, greps);
  return [
    figure(PART, 'kcat -J', 'events/s', scans),
    figure(PART, 'log --json', 'events/s', ours, { ratio: scan, bar: atLeast(scan.median, SCAN_BAR) }),
    figure(PART, 'kcat -J | grep USER', 'events/s', greps),
    figure(PART, 'log --json --user USER', 'events/s', users, {
      ratio: user,
      bar: atLeast(user.median, USER_BAR),
    }),
  ];
}
