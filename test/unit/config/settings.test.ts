import { describe, expect, test } from '@jest/globals';
import { readListenAddress } from '../../../src/config/listen-address.ts';
import {
  originOf,
  readList,
  readMap,
  readText,
  readWhole,
  readYes,
  SETTINGS,
  type SettingName,
  type SettingSources,
} from '../../../src/config/settings.ts';

const FILE = 'user-events.config.json';

function sourcesOf(sources: Partial<SettingSources>): SettingSources {
  return { flags: {}, env: {}, profile: null, isProfileFirst: false, ...sources };
}

function profileOf(settings: Record<string, unknown>): SettingSources['profile'] {
  return { name: 'prod', file: FILE, settings };
}

/** A value of each form, told apart by the level that it stands at; texts have to be one of the choices. */
function valueAt(name: SettingName, level: 0 | 1 | 2): { written: string; read: unknown } {
  const entry = SETTINGS[name];
  const text = `level${String(level)}`;
  switch (entry.form) {
    case 'text': {
      const choice = 'choices' in entry ? entry.choices[level % entry.choices.length] : undefined;
      return { written: choice ?? text, read: choice ?? text };
    }
    case 'address':
      return { written: String(level), read: { host: null, port: level } };
    case 'list':
      return { written: text, read: [text] };
    case 'whole':
      return { written: String(level + 1), read: level + 1 };
    case 'yes':
      return { written: level === 1 ? 'false' : 'true', read: level !== 1 };
    case 'map':
      return { written: `a=${text}`, read: new Map([['a', text]]) };
  }
}

function read(name: SettingName, sources: SettingSources): unknown {
  const readers = {
    text: readText,
    address: readListenAddress,
    list: readList,
    whole: readWhole,
    yes: readYes,
    map: readMap,
  };
  return readers[SETTINGS[name].form](name, sources);
}

const ALL = Object.keys(SETTINGS) as SettingName[];
const WITH_FLAG = ALL.filter((name) => 'flag' in SETTINGS[name]);

describe('the order of every setting', () => {
  const envOf = (name: SettingName): Record<string, string> => ({
    [SETTINGS[name].env]: valueAt(name, 1).written,
  });
  const flagsOf = (name: SettingName): Record<string, unknown> => {
    const entry = SETTINGS[name];
    return 'flag' in entry ? { [entry.flag]: valueAt(name, 0).written } : {};
  };
  const inProfile = (name: SettingName) => profileOf({ [name]: valueAt(name, 2).written });

  test.each(WITH_FLAG)('%s: the flag goes before the environment and the profile', (name) => {
    const sources = sourcesOf({ flags: flagsOf(name), env: envOf(name), profile: inProfile(name) });
    expect(read(name, sources)).toEqual(valueAt(name, 0).read);
    expect(originOf(name, sources)?.level).toBe('flag');
  });

  test.each(ALL)('%s: the environment goes before the profile', (name) => {
    const sources = sourcesOf({ env: envOf(name), profile: inProfile(name) });
    expect(read(name, sources)).toEqual(valueAt(name, 1).read);
    expect(originOf(name, sources)?.level).toBe('environment');
  });

  test.each(ALL)('%s: the profile goes before the default', (name) => {
    const sources = sourcesOf({ profile: inProfile(name) });
    expect(read(name, sources)).toEqual(valueAt(name, 2).read);
    expect(originOf(name, sources)?.text).toBe(`${name} of profile "prod" in ${FILE}`);
  });

  test.each(ALL)('%s: nothing said is undefined, and so is an empty variable', (name) => {
    expect(read(name, sourcesOf({}))).toBeUndefined();
    expect(read(name, sourcesOf({ env: { [SETTINGS[name].env]: '' } }))).toBeUndefined();
  });

  test.each(ALL)('%s: one of several profiles goes before the environment, not before the flag', (name) => {
    const sources = sourcesOf({ env: envOf(name), profile: inProfile(name), isProfileFirst: true });
    expect(read(name, sources)).toEqual(valueAt(name, 2).read);
    const flagged = { ...sources, flags: flagsOf(name) };
    if ('flag' in SETTINGS[name]) expect(read(name, flagged)).toEqual(valueAt(name, 0).read);
  });
});

test('no secret is a flag', () => {
  const secrets = Object.entries(SETTINGS).filter(([, entry]) => 'isSecret' in entry);
  expect(secrets.map(([name]) => name).sort()).toEqual(['databaseUrl', 'eventLogUrl', 'saslPassword']);
  for (const [, entry] of secrets) expect(entry).not.toHaveProperty('flag');
});

describe('a variable that a profile names', () => {
  const profile = profileOf({ databaseUrlEnv: 'ORDERS_URL' });

  test('holds the value', () => {
    const sources = sourcesOf({ profile, env: { ORDERS_URL: 'postgres://orders/db' } });
    expect(readText('databaseUrl', sources)).toBe('postgres://orders/db');
  });

  test('must be set', () => {
    expect(() => readText('databaseUrl', sourcesOf({ profile }))).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: `databaseUrlEnv of profile "prod" in ${FILE} names ORDERS_URL, which is not set`,
      }),
    );
  });
});

describe('a value that cannot be used', () => {
  test.each([
    ['saslMechanism', 'kerberos', 'must be one of plain, scram-sha-256, scram-sha-512'],
    ['batchSize', 'many', 'must be a whole number from 0 on'],
    ['batchSize', '-1', 'must be a whole number from 0 on'],
    ['batchSize', '1.5', 'must be a whole number from 0 on'],
    ['tlsEnabled', 'perhaps', 'must be true or false'],
    ['mapTypes', 'a', 'must be pairs of texts (from=to)'],
    ['mapTypes', 'a=b=c', 'must be pairs of texts (from=to)'],
  ] as const)('%s=%s is CONFIG_INVALID, naming the variable and not the value', (name, value, why) => {
    const { env } = SETTINGS[name];
    expect(() => read(name, sourcesOf({ env: { [env]: value } }))).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: `${env} ${why}` }),
    );
  });

  test.each([
    ['brokers', [1, 2]],
    ['brokers', { a: 1 }],
    ['topic', 7],
    ['topic', ''],
    ['batchSize', true],
    ['production', 'x'],
    ['mapTypes', { a: 1 }],
    ['mapTypes', ['a']],
  ] as const)('%s in a profile must have its form: %j', (name, value) => {
    expect(() => read(name, sourcesOf({ profile: profileOf({ [name]: value }) }))).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });

  test('of a flag is USAGE', () => {
    expect(() => readText('rules', sourcesOf({ flags: { rules: 'lax' } }))).toThrow(
      expect.objectContaining({ code: 'USAGE', message: '--rules must be one of strict, lenient' }),
    );
  });
});

test('a mechanism is read in any case', () => {
  const env = { KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512' };
  expect(readText('saslMechanism', sourcesOf({ env }))).toBe('scram-sha-512');
});

test('a list drops blanks and empty entries', () => {
  expect(readList('brokers', sourcesOf({ env: { KAFKA_BROKERS: ' a:1, ,b:2,' } }))).toEqual(['a:1', 'b:2']);
});
