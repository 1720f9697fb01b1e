/**
 * `npm run soak -- --seed N --minutes M`: producers, consumers and seeded faults on a real broker and a real database,
 * then I1 to I5 and the plain model. The result on stdout, what happens on stderr. A failure names the seed that
 * repeats it.
 */
import { randomInt } from 'node:crypto';
import { buildIfStale } from '../scripts/build/build.mjs';
import { Stage } from '../bench/frame/stage.ts';
import { parseSoakArguments, USAGE, type SoakArguments } from './arguments.ts';
import { renderResult } from './report.ts';
import { soak } from './soak.ts';
import { untilInterrupted } from '../bench/frame/interruption.ts';

const EXIT = { failed: 1, usage: 2, interrupted: 130 };
/** Short enough to be read out to a colleague. */
const SEEDS = 1_000_000;

async function runSoak(asked: SoakArguments, signal: AbortSignal): Promise<void> {
  await buildIfStale();
  const stage = new Stage(signal);
  try {
    const result = await soak(stage, asked);
    process.stdout.write(renderResult(result));
    if (result.differences.length > 0) process.exitCode = EXIT.failed;
  } finally {
    await stage.close();
  }
}

async function main(): Promise<void> {
  const asked = parseSoakArguments(process.argv.slice(2), randomInt(SEEDS));
  if (typeof asked === 'string') {
    if (asked === 'help') process.stdout.write(USAGE);
    else process.stderr.write(`${asked}\n\n${USAGE}`);
    process.exitCode = asked === 'help' ? 0 : EXIT.usage;
    return;
  }
  const interrupted = untilInterrupted();
  try {
    await runSoak(asked, interrupted.signal);
  } catch (error) {
    process.exitCode = interrupted.signal.aborted ? EXIT.interrupted : EXIT.failed;
    if (interrupted.signal.aborted) return;
    console.error(error);
    process.stderr.write(
      `Repeat it: npm run soak -- --seed ${String(asked.seed)} --minutes ${String(asked.minutes)}\n`,
    );
  }
}

await main();
// kafkajs leaves timers behind; what was written to a pipe has to leave the process first.
await new Promise((resolve) => process.stdout.write('', resolve));
process.exit();
