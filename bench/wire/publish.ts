import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { kafkaClassPath } from '../../scripts/kafka/jars.mjs';
import { TYPE_OF_OPERATION } from '../../src/domain/envelope.ts';
import { parseJsonObject } from '../../src/domain/parse-json.ts';
import type { NewRecord } from '../../src/domain/record.ts';
import { Unreadable } from '../../src/domain/unreadable.ts';
import { corpus } from '../consume/corpus.ts';
import type { BenchArguments } from '../frame/arguments.ts';
import { CLI } from '../frame/command.ts';
import { atLeast, figure, ratioOf, type Figure } from '../frame/figure.ts';
import { inTurn } from '../frame/in-turn.ts';
import type { Stage } from '../frame/stage.ts';
import { runProgram } from './program.ts';
import { newTopic } from './topic.ts';

const PART = 'publish';
/** Of the rate of Java's own tool, which sends the same values without headers and checks nothing. */
const BAR = 0.8;

/** What a program told of its own rate, and what its whole process took. */
interface Rates {
  readonly told: number[];
  readonly whole: number[];
}

/**
 * `publish --from-file`, which checks the whole file before it sends the first event, beside Java's ProducerPerformance,
 * in turn. Like is held against like: the rate of sending that each tells, and the whole process, its start included.
 */
export async function measurePublish(
  stage: Stage,
  { events, runs }: BenchArguments,
): Promise<readonly Figure[]> {
  const files = await writeInputs(stage, events);
  const ours: Rates = { told: [], whole: [] };
  const java: Rates = { told: [], whole: [] };
  const publish = async (): Promise<number> => {
    const { brokers, topic } = await emptyTopic(stage);
    const args = [CLI, 'publish', '--from-file', files.events, '--json'];
    const env = { KAFKA_BROKERS: brokers, KAFKA_TOPIC: topic };
    const run = await runProgram(stage, process.execPath, args, { env, keepsStdout: true });
    return keep(ours, events, run.elapsedMs, Number(/"eventsPerSecond":(\d+)/.exec(run.stdout)?.[1]));
  };
  const classPath = await kafkaClassPath();
  const produce = async (): Promise<number> => {
    const { brokers, topic } = await emptyTopic(stage);
    const args = ['-cp', classPath, 'org.apache.kafka.tools.ProducerPerformance', '--topic', topic];
    const load = ['--num-records', String(events), '--throughput', '-1', '--payload-file', files.values];
    const where = ['--command-property', `bootstrap.servers=${brokers}`];
    const run = await runProgram(stage, 'java', [...args, ...load, ...where], { keepsStdout: true });
    const told = /records sent, ([\d.]+) records\/sec.*99\.9th/.exec(run.stdout)?.[1];
    return keep(java, events, run.elapsedMs, Number(told));
  };
  await inTurn(runs, [produce, publish], (round) => {
    stage.say(`${PART}: ${round === 0 ? 'warming up' : `run ${String(round)} of ${String(runs)}`}`);
  });
  return [
    ...compared('sending', ours.told.slice(1), java.told.slice(1)),
    ...compared('whole process', ours.whole.slice(1), java.whole.slice(1)),
  ];
}

function keep(rates: Rates, events: number, elapsedMs: number, told: number): number {
  rates.told.push(told);
  rates.whole.push((events / elapsedMs) * 1000);
  return told;
}

function compared(name: string, ours: readonly number[], java: readonly number[]): readonly Figure[] {
  const ratio = ratioOf(ours, java);
  return [
    figure(PART, `${name}, ProducerPerformance`, 'events/s', java),
    figure(PART, `${name}, user-events`, 'events/s', ours, { ratio, bar: atLeast(ratio.median, BAR) }),
  ];
}

async function emptyTopic(stage: Stage): Promise<{ brokers: string; topic: string }> {
  const { brokers, topic, log } = await newTopic(stage);
  await log.close();
  return { brokers, topic };
}

/** The corpus as lines for `publish`, and its values alone, a line each, for Java. */
async function writeInputs(stage: Stage, events: number): Promise<{ events: string; values: string }> {
  const folder = await stage.folder();
  const files = { events: path.join(folder, 'events.ndjson'), values: path.join(folder, 'values.txt') };
  await writeLines(files.events, events, lineOf);
  await writeLines(files.values, events, ({ value }) => String(value));
  return files;
}

async function writeLines(file: string, events: number, write: (record: NewRecord) => string): Promise<void> {
  await pipeline(function* () {
    for (const record of corpus({ events })) yield `${write(record)}\n`;
  }, createWriteStream(file));
}

const OPERATIONS: ReadonlyMap<string, string> = new Map(
  Object.entries(TYPE_OF_OPERATION).map(([operation, type]) => [type, operation]),
);

function lineOf({ value, headers }: NewRecord): string {
  const type = String(headers.find(({ key }) => key === 'ce_type')?.value);
  const data = value === null ? {} : parseJsonObject(value);
  if (data instanceof Unreadable) throw new Error(data.reason);
  const { userId, ...fields } = data;
  return JSON.stringify({ operation: OPERATIONS.get(type), userId, data: fields });
}
