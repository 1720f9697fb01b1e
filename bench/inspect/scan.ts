import { kafkaClassPath } from '../../scripts/kafka/jars.mjs';
import type { BenchArguments } from '../frame/arguments.ts';
import { CLI } from '../frame/command.ts';
import { atLeast, figure, ratioOf, under, type Figure } from '../frame/figure.ts';
import { inTurn } from '../frame/in-turn.ts';
import type { Stage } from '../frame/stage.ts';
import { fillTopic, type FilledTopic } from '../wire/filled-topic.ts';
import { isInstalled, runProgram } from '../wire/program.ts';

/** Of kcat's rate. */
const SCAN_BAR = 0.4;
/** Times what kcat needs for the whole topic. */
const USER_BAR = 1.5;

const CONSOLE_CONSUMER = 'org.apache.kafka.tools.consumer.ConsoleConsumer';
/** What `kcat -J` and `log --json` print too. */
const EVERYTHING = ['timestamp', 'key', 'offset', 'partition', 'headers', 'value'];

/** The whole topic as JSON beside `kcat -J`, and beside Java's console consumer where there is Java: whole processes. */
export async function measureScan(
  stage: Stage,
  { events, runs }: BenchArguments,
): Promise<readonly Figure[]> {
  const part = 'scan';
  if (!(await hasKcat(stage, part))) return [];
  const filled = await fillTopic(stage, events);
  const rateOf = async (program: string, args: readonly string[]): Promise<number> =>
    (events / (await elapsedMs(stage, filled, program, args))) * 1000;
  const hasJava = await isInstalled(stage, 'java', '-version');
  const java = hasJava ? await consoleConsumer(filled, events) : [];
  const takes = [
    () => rateOf('kcat', kcatArgs(filled)),
    () => rateOf(process.execPath, [CLI, 'log', '--json']),
    ...(hasJava ? [() => rateOf('java', java)] : []),
  ];
  const [kcats = [], ours = [], consumers] = await inTurn(runs, takes, sayRound(stage, part, runs));
  const ratio = ratioOf(ours, kcats);
  return [
    figure(part, 'kcat -J', 'events/s', kcats),
    figure(part, 'log --json', 'events/s', ours, { ratio, bar: atLeast(ratio.median, SCAN_BAR) }),
    ...(consumers === undefined ? [] : [besides('console consumer', consumers, kcats)]),
  ];
}

/** One user's events, whose partition alone is read, beside what finds them without us: kcat's whole scan through grep. */
export async function measureUser(
  stage: Stage,
  { events, runs }: BenchArguments,
): Promise<readonly Figure[]> {
  const part = 'user';
  if (!(await hasKcat(stage, part))) return [];
  const filled = await fillTopic(stage, events);
  const piped = ['-c', 'kcat "$@" | grep -F "$USER_ID"', 'sh', ...kcatArgs(filled)];
  const takes = [
    () => elapsedMs(stage, filled, 'sh', piped),
    () => elapsedMs(stage, filled, process.execPath, [CLI, 'log', '--json', '--user', filled.userId]),
  ];
  const [greps = [], ours = []] = await inTurn(runs, takes, sayRound(stage, part, runs));
  const ratio = ratioOf(ours, greps);
  return [
    figure(part, 'kcat -J | grep USER', 'ms', greps),
    figure(part, 'log --json --user USER', 'ms', ours, { ratio, bar: under(ratio.median, USER_BAR) }),
  ];
}

function besides(name: string, values: readonly number[], floors: readonly number[]): Figure {
  return figure('scan', name, 'events/s', values, { ratio: ratioOf(values, floors) });
}

async function hasKcat(stage: Stage, part: string): Promise<boolean> {
  if (await isInstalled(stage, 'kcat', '-V')) return true;
  stage.say(`${part}: skipped, since there is no kcat here`);
  return false;
}

function kcatArgs({ brokers, topic }: FilledTopic): readonly string[] {
  return ['-C', '-b', brokers, '-t', topic, '-e', '-q', '-J'];
}

async function consoleConsumer({ brokers, topic }: FilledTopic, events: number): Promise<readonly string[]> {
  const printed = EVERYTHING.flatMap((name) => ['--formatter-property', `print.${name}=true`]);
  const where = ['--bootstrap-server', brokers, '--topic', topic, '--from-beginning'];
  const all = ['--max-messages', String(events)];
  return ['-cp', await kafkaClassPath(), CONSOLE_CONSUMER, ...where, ...all, ...printed];
}

async function elapsedMs(
  stage: Stage,
  { brokers, topic, userId }: FilledTopic,
  program: string,
  args: readonly string[],
): Promise<number> {
  const env = { KAFKA_BROKERS: brokers, KAFKA_TOPIC: topic, USER_ID: userId };
  return (await runProgram(stage, program, args, { env })).elapsedMs;
}

function sayRound(stage: Stage, part: string, runs: number): (round: number) => void {
  return (round) => {
    stage.say(`${part}: ${round === 0 ? 'warming up' : `run ${String(round)} of ${String(runs)}`}`);
  };
}
