import { spawn } from 'node:child_process';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { describePrivateKafka } from '../support/describe-kafka.ts';

const PACKAGE = path.resolve(import.meta.dirname, '../..');

/** Runs `npm run soak` as a developer does; stderr is what happened, for the failure's message. */
function runSoak(
  args: readonly string[],
): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'soak/main.ts', ...args], { cwd: PACKAGE });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  return new Promise((resolve) => {
    child.on('close', (exitCode) => resolve({ exitCode, ...output }));
  });
}

describePrivateKafka('a soak', () => {
  test('of half a minute with eleven kinds of faults ends without a difference', async () => {
    const { exitCode, stdout, stderr } = await runSoak(['--seed', '704', '--minutes', '0.5']);
    expect({ exitCode, stdout, stderr }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(
        /Injected 13 faults in 0\.5 minutes(?:.*\n +\d+ {2}.*){11}\n0 differences: /,
      ),
    });
  }, 300_000);
});
