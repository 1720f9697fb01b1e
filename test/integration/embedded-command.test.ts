import { expect, test } from '@jest/globals';
import { runAsAccount } from '../../src/postgres/embedded-command.ts';

// A busy machine tells the exit of `id` before its output: read too early, the account was "", which is number 0.
test('what a program prints is read to the end, also where its exit comes first', async () => {
  const late = ['-c', '(sleep 0.2; echo late) & exit 3'];
  expect(await runAsAccount('/bin/sh', late, { account: null, cwd: '/' })).toEqual({
    exitCode: 3,
    output: 'late',
  });
  const left = await runAsAccount('/bin/sh', late, { account: null, cwd: '/', leavesServer: true });
  expect(left).toEqual({ exitCode: 3, output: '' });
});
