/**
 * `npm run bench -- NAME`: measures, prints a table (or with --json one object) on stdout, progress on stderr.
 * Exits 0 whether or not a bar is met: a bench informs, it never gates. 1 where it could not measure, 2 for usage,
 * 130 when interrupted; its servers are stopped in every case.
 */
import { parseBenchArguments, usage, type BenchArguments } from './frame/arguments.ts';
import type { Figure } from './frame/figure.ts';
import { describeMachine } from './frame/machine.ts';
import { renderJson, renderTable } from './frame/report.ts';
import { chosenParts, type Part } from './frame/scenario.ts';
import { SCENARIOS } from './frame/scenarios.ts';
import { Stage } from './frame/stage.ts';
import { untilInterrupted } from './frame/interruption.ts';

const NAMES = [...SCENARIOS.keys()];
/** Events of the corpus, where neither the user nor the bench says how many. */
const EVENTS = 200_000;
const EXIT = { failed: 1, usage: 2, interrupted: 130 };

async function measure(asked: BenchArguments, parts: readonly Part[], signal: AbortSignal): Promise<void> {
  const stage = new Stage(signal);
  try {
    const figures: Figure[] = [];
    for (const part of parts) figures.push(...(await part.measure(stage, asked)));
    const machine = describeMachine(stage.versions);
    const result = { bench: asked.name, arguments: asked, machine, figures };
    process.stdout.write(asked.isJson ? renderJson(result) : renderTable(result));
  } finally {
    await stage.close();
  }
}

/** What was asked for and the parts to measure; a text: what is wrong with it; null: help. */
async function readRequest(): Promise<{ asked: BenchArguments; parts: readonly Part[] } | string | null> {
  const asked = parseBenchArguments(process.argv.slice(2), NAMES);
  if (asked === 'help') return null;
  if (typeof asked === 'string') return asked;
  const scenario = await SCENARIOS.get(asked.name)?.();
  if (scenario === undefined) return `There is no bench ${asked.name}`;
  const parts = chosenParts(scenario, asked.only);
  if (typeof parts === 'string') return parts;
  return { asked: { ...asked, events: asked.events ?? scenario.events ?? EVENTS }, parts };
}

async function main(): Promise<void> {
  const request = await readRequest();
  if (request === null || typeof request === 'string') {
    if (request === null) process.stdout.write(usage(NAMES));
    else process.stderr.write(`${request}\n\n${usage(NAMES)}`);
    process.exitCode = request === null ? 0 : EXIT.usage;
    return;
  }
  const interrupted = untilInterrupted();
  try {
    await measure(request.asked, request.parts, interrupted.signal);
  } catch (error) {
    process.exitCode = interrupted.signal.aborted ? EXIT.interrupted : EXIT.failed;
    if (!interrupted.signal.aborted) console.error(error);
  }
}

await main();
// kafkajs leaves timers behind; what was written to a pipe has to leave the process first.
await new Promise((resolve) => process.stdout.write('', resolve));
process.exit();
