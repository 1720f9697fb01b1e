import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { runCli, spawnCli } from '../support/cli.ts';

const PACKAGE = path.resolve(import.meta.dirname, '../..');

describe('the command line as it is installed', () => {
  test('prints its version on stdout', async () => {
    const { version } = JSON.parse(await readFile(path.join(PACKAGE, 'package.json'), 'utf8')) as {
      version: string;
    };
    const { exitCode, stdout, stderr } = await runCli(['--version']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^user-events/${version} `));
  });

  test('lists every command of its surface in its help', async () => {
    const surface = JSON.parse(await readFile(path.join(PACKAGE, 'command-surface.json'), 'utf8')) as object;
    const { exitCode, stdout, stderr } = await runCli(['--help']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    for (const id of Object.keys(surface)) expect(stdout).toContain(`  ${id.split(':')[0] ?? id}  `);
  });

  test('answers a command that it does not know with exit 2, on stderr alone', async () => {
    const { exitCode, stdout, stderr } = await runCli(['pubish']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain('(USAGE)');
    expect(stderr).toContain('→');
  });

  test('says nothing when the reader of its help has gone', async () => {
    const child = spawn(process.execPath, [path.join(PACKAGE, 'bin/run.js'), '--help'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [exitCode] = (await once(child, 'close')) as [number | null];
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });
});

describe('a signal that comes before the command is loaded', () => {
  const NOWHERE = { KAFKA_BROKERS: '127.0.0.1:1', DATABASE_URL: 'postgres://127.0.0.1:1/nowhere' };
  const hook = path.join(PACKAGE, 'test/support/signal-while-loading.mjs');
  const signalled = (args: readonly string[], module: string, signal: string) =>
    runCli(args, {
      env: {
        ...NOWHERE,
        NODE_OPTIONS: `--import=${hook}`,
        TEST_EARLY_MODULE: module,
        TEST_EARLY_SIGNAL: signal,
      },
    });

  test.each(['/dist/cli/main.js', '/dist/commands/consume.js'])(
    'ends consume as one that comes later does: SIGTERM with 0 and the summary, at %s',
    async (module) => {
      const { exitCode, signal, stdout } = await signalled(['consume', '--json'], module, 'SIGTERM');
      expect({ exitCode, signal }).toEqual({ exitCode: 0, signal: null });
      expect(JSON.parse(stdout)).toMatchObject({ _command: 'consume', events: 0, endedBy: 'signal' });
    },
  );

  test('ends a command that only reads with 130', async () => {
    const { exitCode, signal, stderr } = await signalled(['status'], '/dist/commands/status.js', 'SIGINT');
    expect({ exitCode, signal }).toEqual({ exitCode: 130, signal: null });
    expect(stderr).toContain('INTERRUPTED');
  });
});

describe('the harness', () => {
  test('gives a process its output as it comes, and says so when it ends without', async () => {
    const cli = await spawnCli(['--version']);
    expect((await cli.waitForOutput(/^user-events\/(\S+)/))[1]).toMatch(/^\d/);
    await expect(cli.waitForOutput(/never printed/)).rejects.toThrow(/ended without \/never printed\//);
  });

  test('kills a process that outlives its time and fails', async () => {
    await expect(runCli(['--version'], { timeoutMs: 1 })).rejects.toThrow('still ran after 1 ms');
  });
});
