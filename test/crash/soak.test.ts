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
  test('of half a minute with many kinds of faults ends without a difference', async () => {
    const { exitCode, stdout, stderr } = await runSoak(['--seed', '15', '--minutes', '0.5']);
    expect({ exitCode, stdout, stderr }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/Injected \d+ faults in 0\.5 minutes[\s\S]*\n0 differences: /),
    });
  }, 240_000);
});
