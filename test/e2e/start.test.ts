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
