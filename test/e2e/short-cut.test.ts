import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { runCli } from '../support/cli.ts';

const PACKAGE = path.resolve(import.meta.dirname, '../..');
/** Asks oclif itself. */
const WITHOUT = { OCLIF_COLUMNS: '80' };

async function commands(): Promise<readonly (readonly string[])[]> {
  const surface = JSON.parse(await readFile(path.join(PACKAGE, 'command-surface.json'), 'utf8')) as object;
  return [[], ['users'], ...Object.keys(surface).map((id) => id.split(':'))];
}

describe('the short cut before oclif', () => {
  test('prints the help that oclif prints, of every command, topic, and of all', async () => {
    for (const command of await commands()) {
      const [ours, oclif] = await Promise.all([
        runCli([...command, '--help']),
        runCli([...command, '--help'], { env: WITHOUT }),
      ]);
      const { exitCode, stdout, stderr } = oclif;
      expect({ command, ...ours, durationMs: 0 }).toMatchObject({ command, exitCode, stdout, stderr });
      expect(stdout).toContain('USAGE');
    }
  });

  test.each([[['--version']], [[]], [['log', '-h']], [['users']]])(
    'answers %j as oclif does',
    async (args) => {
      const ours = await runCli(args);
      const { exitCode, stdout, stderr } = await runCli(args, { env: WITHOUT });
      expect(ours).toMatchObject({ exitCode, stdout, stderr });
    },
  );

  test.each([
    [['nope', '--help']],
    [['../../package', '--help']],
    [['log', 'x', '--help']],
    [['--version', 'x']],
  ])('leaves %j to oclif', async (args) => {
    const ours = await runCli(args);
    const { exitCode, stdout, stderr } = await runCli(args, { env: WITHOUT });
    expect(ours).toMatchObject({ exitCode, stdout, stderr });
  });
});
