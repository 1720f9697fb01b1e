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
  test('nothing at all for its version and for the help of any command', async () => {
    const commands = await helpOfEveryCommand();
    expect(commands.length).toBeGreaterThan(15);
    for (const args of [['--version'], ['--help'], ...commands]) {
      expect({ args, packages: [...(await loadedPackages(args))] }).toEqual({ args, packages: [] });
    }
  });

  test.each([
    { args: ['pubish'], env: {} },
    { args: ['log', '--nope'], env: {} },
    { args: ['log', '--help'], env: { OCLIF_COLUMNS: '70' } },
  ])('neither driver for $args with $env', async ({ args, env }) => {
    expect(await driversOf(args, { ...NOBODY, ...env })).toEqual([]);
  });

  test.each([
    { args: ['users', 'list'], env: NOBODY, drivers: ['pg'] },
    { args: ['log'], env: NO_LOG, drivers: ['kafkajs'] },
    { args: ['status'], env: NOBODY, drivers: ['kafkajs', 'pg'] },
  ])('$drivers for $args', async ({ args, env, drivers }) => {
    expect(await driversOf(args, env)).toEqual(drivers);
  });
});
