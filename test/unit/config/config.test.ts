import { describe, expect, test } from '@jest/globals';
import { missingHalf, resolveConfig, type Config } from '../../../src/config/config.ts';
import type { SettingSources } from '../../../src/config/settings.ts';

const MACHINE = { hostname: 'box', username: 'ada', dataDir: '/data' };

function resolve(env: Record<string, string>, more: Partial<SettingSources> = {}): Config {
  return resolveConfig({ flags: {}, env, profile: null, isProfileFirst: false, ...more }, MACHINE);
}

describe('nothing configured', () => {
  test('is the embedded engine for both halves, with the defaults of DESIGN 7', () => {
    expect(resolve({})).toEqual({
      profile: null,
      isProduction: false,
      log: { engine: 'embedded' },
      database: { engine: 'embedded' },
      topic: 'user-events',
      group: 'users.user_events',
      schema: 'user_events',
      logSchema: 'user_events_log',
      table: null,
      keyColumn: null,
      extraColumn: null,
      createdColumn: null,
      updatedColumn: null,
      rules: null,
      partitions: 4,
      source: '/user-events/users',
      operator: 'ada@box',
      onFailure: 'park',
      batchSize: null,
      maxFailed: null,
      deadLetterTopic: null,
      metrics: null,
      intervalSeconds: null,
      ignoreTypes: [],
      mapTypes: new Map(),
      dataDir: '/data',
      warnings: [],
    });
  });
});

describe('one half alone', () => {
  test.each([
    [{ KAFKA_BROKERS: 'k:9092' }, 'kafka', 'missing'],
    [{ EVENT_LOG_URL: 'postgres://h/log' }, 'postgres', 'missing'],
    [{ DATABASE_URL: 'postgres://h/db' }, 'missing', 'postgres'],
    [{ PGHOST: 'h' }, 'missing', 'postgres'],
    [{ PGDATABASE: 'd' }, 'missing', 'postgres'],
    [{ PGUSER: 'u' }, 'missing', 'postgres'],
    [{ KAFKA_BROKERS: 'k:9092', PGDATABASE: 'd' }, 'kafka', 'postgres'],
    [{ PGPASSWORD: 'secret' }, 'embedded', 'embedded'],
  ])('%j never falls back to the embedded engine', (env, log, database) => {
    const config = resolve(env);
    expect([config.log.engine, config.database.engine]).toEqual([log, database]);
  });

  test('is CONFIG_HALF, which names the choices', () => {
    expect(missingHalf('log')).toMatchObject({
      code: 'CONFIG_HALF',
      hint: expect.stringContaining('KAFKA_BROKERS or EVENT_LOG_URL'),
    });
    expect(missingHalf('database')).toMatchObject({
      code: 'CONFIG_HALF',
      hint: expect.stringContaining('DATABASE_URL'),
    });
  });
});

describe('two logs', () => {
  const url = 'postgres://h/log';

  test('of one level are CONFIG_INVALID', () => {
    expect(() => resolve({ KAFKA_BROKERS: 'k:1', EVENT_LOG_URL: url })).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: 'Two event logs are configured: KAFKA_BROKERS and EVENT_LOG_URL',
      }),
    );
  });

  test('of two levels: the higher one is meant', () => {
    expect(resolve({ EVENT_LOG_URL: url }, { flags: { brokers: 'k:1' } }).log.engine).toBe('kafka');
    const profile = { name: 'p', file: 'f', settings: { eventLogUrl: url, databaseUrl: 'postgres://h/d' } };
    expect(resolve({ KAFKA_BROKERS: 'k:1' }, { profile }).log.engine).toBe('kafka');
    expect(resolve({}, { profile }).log.engine).toBe('postgres');
    const onKafka = { name: 'p', file: 'f', settings: { brokers: ['k:1'] } };
    expect(resolve({ EVENT_LOG_URL: url }, { profile: onKafka }).log.engine).toBe('postgres');
  });
});

describe('the database', () => {
  test('a URL goes before PG*, of whatever level it is', () => {
    const profile = { name: 'p', file: 'f', settings: { databaseUrl: 'postgres://prod/orders' } };
    expect(resolve({ PGHOST: 'elsewhere', PGDATABASE: 'x' }, { profile }).database).toMatchObject({
      address: 'prod:5432/orders',
    });
  });

  test('what a URL leaves open is taken from PG*', () => {
    const env = { DATABASE_URL: 'postgres://', PGHOST: 'db', PGPORT: '6543', PGDATABASE: 'orders' };
    expect(resolve(env).database).toMatchObject({ address: 'db:6543/orders', database: 'orders' });
  });

  test('names the group and the source', () => {
    const config = resolve({
      KAFKA_BROKERS: 'k',
      DATABASE_URL: 'postgres://u:p@h/my%20db',
      USER_EVENTS_SCHEMA: 's',
    });
    expect(config.group).toBe('my db.s');
    expect(config.source).toBe('/user-events/my%20db');
  });

  test('without one the machine names them', () => {
    const config = resolve({ KAFKA_BROKERS: 'k' });
    expect(config.source).toBe('/user-events/box');
  });
});

describe('a profile chosen by name', () => {
  const profile = {
    name: 'prod',
    file: 'f',
    settings: { databaseUrl: 'postgres://prod/d', production: true },
  };

  test('says what the environment overrides of it', () => {
    const { warnings, isProduction } = resolve(
      { DATABASE_URL: 'postgres://dev/d', KAFKA_BROKERS: 'k' },
      { profile },
    );
    expect(isProduction).toBe(true);
    expect(warnings).toEqual(['DATABASE_URL is set and goes before the databaseUrl of profile "prod".']);
  });

  test('is silent where nothing is overridden', () => {
    expect(resolve({ KAFKA_BROKERS: 'k' }, { profile }).warnings).toEqual([]);
  });
});

test('a partition count of nothing is refused', () => {
  expect(() => resolve({ USER_EVENTS_PARTITIONS: '0' })).toThrow(
    'USER_EVENTS_PARTITIONS must be a whole number from 1 on',
  );
});

test('a schema that PostgreSQL would cut is refused', () => {
  expect(resolve({ USER_EVENTS_SCHEMA: 'x'.repeat(63) }).schema).toHaveLength(63);
  expect(() => resolve({ USER_EVENTS_SCHEMA: 'ä'.repeat(32) })).toThrow(
    'USER_EVENTS_SCHEMA must be 63 bytes long at the most',
  );
});
