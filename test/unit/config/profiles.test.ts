import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseConfigFile, readConfigFile, selectProfile } from '../../../src/config/profiles.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'profiles-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(name: string, value: unknown, mode = 0o600): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  chmodSync(path, mode);
  return path;
}

const profilesOf = (name: string) => ({ profiles: { [name]: { topic: name } } });

describe('the config file', () => {
  test('is the one that USER_EVENTS_CONFIG names, before all others', () => {
    write('user-events.config.json', profilesOf('here'));
    const path = write('named.json', profilesOf('named'));
    expect(readConfigFile({ USER_EVENTS_CONFIG: path }, folder, folder)?.path).toBe(path);
  });

  test('that is named must be there', () => {
    expect(() => readConfigFile({ USER_EVENTS_CONFIG: '/none.json' }, folder, folder)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('/none.json') }),
    );
  });

  test('is the one in the working directory, before the one of the home', () => {
    const local = write('cwd/user-events.config.json', profilesOf('local'));
    write('xdg/user-events/config.json', profilesOf('home'));
    const env = { XDG_CONFIG_HOME: join(folder, 'xdg') };
    expect(readConfigFile(env, join(folder, 'cwd'), folder)?.path).toBe(local);
  });

  test('is the one of $XDG_CONFIG_HOME, or of ~/.config', () => {
    const xdg = write('xdg/user-events/config.json', profilesOf('xdg'));
    const home = write('.config/user-events/config.json', profilesOf('home'));
    expect(readConfigFile({ XDG_CONFIG_HOME: join(folder, 'xdg') }, folder, folder)?.path).toBe(xdg);
    expect(readConfigFile({}, folder, folder)?.path).toBe(home);
  });

  test('need not be there', () => {
    expect(readConfigFile({}, folder, folder)).toBeNull();
  });

  test.each([
    [0o600, 0],
    [0o640, 1],
    [0o604, 1],
  ])('of mode %i that holds a password is warned about: %i', (mode, count) => {
    const profiles = { prod: { databaseUrl: 'postgres://ada:secret@db/orders' } };
    const path = write('user-events.config.json', { profiles }, mode);
    const warnings = readConfigFile({}, folder, folder)?.warnings ?? [];
    expect(warnings).toHaveLength(count);
    for (const warning of warnings) {
      expect(warning).toContain(path);
      expect(warning).not.toContain('secret');
    }
  });
});

describe('what is in it', () => {
  const parse = (value: unknown, isShared = false) =>
    parseConfigFile('file.json', typeof value === 'string' ? value : JSON.stringify(value), isShared);

  test.each([
    ['{', 'file.json is not JSON'],
    ['[]', 'file.json: the file must be an object'],
    [{ profile: {} }, 'file.json has an unknown key "profile"'],
    [{ profiles: [] }, 'file.json: "profiles" must be an object'],
    [{ profiles: { a: 1 } }, 'file.json: profile "a" must be an object'],
    [{ profiles: { a: { broker: 'x' } } }, 'file.json: profile "a" has an unknown key "broker"'],
    [{ profiles: { a: { topicEnv: 'X' } } }, 'file.json: profile "a" has an unknown key "topicEnv"'],
    [{ profiles: { a: { toString: 'X' } } }, 'file.json: profile "a" has an unknown key "toString"'],
    [
      { profiles: { a: { databaseUrlEnv: '' } } },
      'file.json: profile "a": "databaseUrlEnv" must name an environment variable',
    ],
    [
      { profiles: { a: { databaseUrl: 'postgres://h/d', databaseUrlEnv: 'X' } } },
      'file.json: profile "a" has both "databaseUrl" and "databaseUrlEnv": keep one',
    ],
  ])('%j is CONFIG_INVALID', (value, message) => {
    expect(() => parse(value)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message }));
  });

  test('every profile is checked, not the chosen one alone', () => {
    expect(() => parse({ profiles: { a: {}, b: { nonsense: 1 } } })).toThrow('profile "b"');
  });

  test.each([
    [{ saslPassword: 'x' }, 1],
    [{ eventLogUrl: 'postgres://u:p@h/d' }, 1],
    [{ databaseUrl: 'postgres://h/d?password=p' }, 1],
    [{ databaseUrl: 'postgres://u@h/d' }, 0],
    [{ databaseUrlEnv: 'URL', saslPasswordEnv: 'PASSWORD' }, 0],
  ])('%j in a file that others may read has warnings: %i', (settings, count) => {
    expect(parse({ profiles: { a: settings } }, true).warnings).toHaveLength(count);
  });

  test('$schema is left to editors', () => {
    expect(parse({ $schema: 'x', profiles: {} }).profiles.size).toBe(0);
  });
});

describe('the profile', () => {
  const file = parseConfigFile(
    'file.json',
    '{"profiles": {"default": {"topic": "d"}, "prod": {"topic": "p"}}}',
    false,
  );

  test('is the one named', () => {
    expect(selectProfile(file, 'prod')).toEqual({
      name: 'prod',
      file: 'file.json',
      settings: { topic: 'p' },
    });
  });

  test('is default where none is named, and none where there is no default', () => {
    expect(selectProfile(file, undefined)?.name).toBe('default');
    expect(selectProfile(parseConfigFile('f', '{"profiles": {"prod": {}}}', false), undefined)).toBeNull();
    expect(selectProfile(null, undefined)).toBeNull();
  });

  test('that is named must be there', () => {
    expect(() => selectProfile(file, 'staging')).toThrow(
      'There is no profile "staging": file.json has default, prod',
    );
    expect(() => selectProfile(null, 'staging')).toThrow(
      'There is no profile "staging": there is no config file',
    );
  });
});
