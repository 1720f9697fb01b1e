import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserEventsError } from '../errors/user-events-error.ts';
import { SETTINGS, type Environment, type Profile } from './settings.ts';

/** The config file's profiles by name, and what is to be said about the file. */
export interface ConfigFile {
  readonly path: string;
  readonly profiles: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  readonly warnings: readonly string[];
}

/** Used where no profile is named and the file has one of this name. */
const DEFAULT_PROFILE = 'default';
const LOCAL_FILE = 'user-events.config.json';

/**
 * Reads the config file: the one that USER_EVENTS_CONFIG names (which must be there), else `user-events.config.json`
 * in `cwd`, else `$XDG_CONFIG_HOME/user-events/config.json`. Null where there is none. Its shape is
 * `{"profiles": {name: {…settings}}}`; an unknown key is CONFIG_INVALID with the file and the key.
 */
export function readConfigFile(env: Environment, cwd: string, home: string): ConfigFile | null {
  const named = env['USER_EVENTS_CONFIG'];
  const configHome = env['XDG_CONFIG_HOME'] || join(home, '.config');
  const paths = named ? [named] : [join(cwd, LOCAL_FILE), join(configHome, 'user-events', 'config.json')];
  for (const path of paths) {
    const text = readIfThere(path);
    if (text !== null) return parseConfigFile(path, text, isReadableByOthers(path));
  }
  if (named) throw invalid(named, 'is named by USER_EVENTS_CONFIG but is not there');
  return null;
}

/** The same for a text already read. Exported for its tests. */
export function parseConfigFile(path: string, text: string, isShared: boolean): ConfigFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // The parser's message may quote a part of the file, and the file may hold a password.
    throw new UserEventsError('CONFIG_INVALID', `${path} is not JSON`, { cause: error });
  }
  const file = asObject(value, path, 'the file');
  for (const key of Object.keys(file)) {
    if (key !== 'profiles' && key !== '$schema') throw invalid(path, `has an unknown key "${key}"`);
  }
  const profiles = new Map(
    Object.entries(asObject(file['profiles'] ?? {}, path, '"profiles"')).map(([name, profile]) => {
      const settings = asObject(profile, path, `profile "${name}"`);
      for (const key of Object.keys(settings)) checkKey(key, settings, `${path}: profile "${name}"`);
      return [name, settings] as const;
    }),
  );
  const hasPassword = [...profiles.values()].some(holdsPassword);
  const warnings =
    hasPassword && isShared
      ? [`${path} holds a password and others than you may read it: chmod 600 it, or name a variable (…Env).`]
      : [];
  return { path, profiles, warnings };
}

/**
 * Chooses a profile: the one named, else `default` where the file has it, else none.
 * CONFIG_INVALID where the one named is not in the file.
 */
export function selectProfile(file: ConfigFile | null, name: string | undefined): Profile | null {
  const settings = file?.profiles.get(name ?? DEFAULT_PROFILE);
  if (file !== null && settings !== undefined)
    return { name: name ?? DEFAULT_PROFILE, file: file.path, settings };
  if (name === undefined) return null;
  const known = file === null ? 'there is no config file' : `${file.path} has ${listNames(file)}`;
  throw new UserEventsError('CONFIG_INVALID', `There is no profile "${name}": ${known}`);
}

/** The error of a run without a profile beside a file that has some: the embedded engine would be none of them. */
export function unchosenProfile(file: ConfigFile): UserEventsError {
  return new UserEventsError('CONFIG_INVALID', `No profile is chosen: ${file.path} has ${listNames(file)}`, {
    hint: 'Choose one with --profile or USER_EVENTS_PROFILE, or name one "default" in the file.',
  });
}

function listNames({ profiles }: ConfigFile): string {
  return profiles.size === 0 ? 'none' : [...profiles.keys()].join(', ');
}

function checkKey(key: string, settings: Readonly<Record<string, unknown>>, where: string): void {
  if (Object.hasOwn(SETTINGS, key)) return;
  const secret = Object.entries(SETTINGS).find(
    ([name, entry]) => `${name}Env` === key && 'isSecret' in entry,
  )?.[0];
  if (secret === undefined) {
    throw new UserEventsError('CONFIG_INVALID', `${where} has an unknown key "${key}"`);
  }
  if (typeof settings[key] !== 'string' || settings[key] === '') {
    throw new UserEventsError('CONFIG_INVALID', `${where}: "${key}" must name an environment variable`);
  }
  if (secret in settings) {
    throw new UserEventsError('CONFIG_INVALID', `${where} has both "${secret}" and "${key}": keep one`);
  }
}

function holdsPassword(settings: Readonly<Record<string, unknown>>): boolean {
  const urls = [settings['databaseUrl'], settings['eventLogUrl']];
  return (
    settings['saslPassword'] !== undefined ||
    urls.some((url) => typeof url === 'string' && /:\/\/[^/@]*:[^/@]+@|[?&]password=/.test(url))
  );
}

function readIfThere(path: string): string | null {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined ? null : readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserEventsError('CONFIG_INVALID', `${path} cannot be read`, { cause: error });
  }
}

function isReadableByOthers(path: string): boolean {
  // Windows has no such bits: its mode says nothing about others.
  return process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0;
}

function asObject(value: unknown, path: string, what: string): Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw invalid(path, `: ${what} must be an object`);
  return value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(path: string, why: string): UserEventsError {
  return new UserEventsError('CONFIG_INVALID', `${path}${why.startsWith(':') ? '' : ' '}${why}`);
}
