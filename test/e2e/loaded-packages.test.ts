import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { loadedPackages } from '../support/loaded-packages.ts';

const PACKAGE = path.resolve(import.meta.dirname, '../..');
/** Nobody listens there. */
const NO_LOG = { KAFKA_BROKERS: '127.0.0.1:9' };
const NOBODY = { ...NO_LOG, DATABASE_URL: 'postgres://127.0.0.1:9/nobody' };

async function helpOfEveryCommand(): Promise<readonly (readonly string[])[]> {
  const surface = JSON.parse(await readFile(path.join(PACKAGE, 'command-surface.json'), 'utf8')) as object;
  return Object.keys(surface).map((id) => [...id.split(':'), '--help']);
}

async function driversOf(
  args: readonly string[],
  env: Readonly<Record<string, string>> = NOBODY,
): Promise<readonly string[]> {
  const loaded = await loadedPackages(args, env);
  // Else it was not seen what was loaded at all.
  expect(loaded).toContain('@oclif/core');
  return ['kafkajs', 'pg'].filter((name) => loaded.has(name));
}

describe('a command loads', () => {
  test.each([[['--version']], [['--help']], [['pubish']], [['log', '--nope']]])(
    'neither driver for %j',
    async (args) => {
      expect(await driversOf(args)).toEqual([]);
    },
  );

  test('neither driver for the help of any command', async () => {
    const commands = await helpOfEveryCommand();
    expect(commands.length).toBeGreaterThan(15);
    for (const args of commands)
      expect({ args, drivers: await driversOf(args) }).toEqual({ args, drivers: [] });
  });

  test.each([
    { args: ['users', 'list'], env: NOBODY, drivers: ['pg'] },
    { args: ['log'], env: NO_LOG, drivers: ['kafkajs'] },
    { args: ['status'], env: NOBODY, drivers: ['kafkajs', 'pg'] },
  ])('$drivers for $args', async ({ args, env, drivers }) => {
    expect(await driversOf(args, env)).toEqual(drivers);
  });
});
