import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { describe } from '@jest/globals';
import { describeKafka } from './describe-kafka.ts';

const run = promisify(execFile);
/** A dump of some thousand records. */
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * A `describe` whose tests hold us against kcat, somebody else's client (librdkafka), on the run's Kafka. Where it is not
 * installed the tests are skipped and named in the last lines of the run.
 */
export function describeKcat(title: string, tests: () => void): void {
  if (spawnSync('kcat', ['-V']).status === 0) describeKafka(title, tests);
  else describe.skip(title, tests);
}

/** What kcat prints of a whole topic, a line a record: as JSON (`-J`), or by a format of its own (`-f`). */
export async function kcatLines(
  brokers: string,
  topic: string,
  form: readonly string[],
): Promise<readonly string[]> {
  const args = ['-C', '-b', brokers, '-t', topic, '-e', '-q', ...form];
  const { stdout } = await run('kcat', args, { maxBuffer: MAX_BYTES });
  return stdout.split('\n').filter((line) => line !== '');
}
