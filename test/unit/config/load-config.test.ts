import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { loadConfig } from '../../../src/config/load-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'load-config-'));
const path = join(folder, 'config.json');
const profiles = { default: { topic: 'd' }, a: { topic: 'a' }, b: { topic: 'b', schema: 'sb' } };
writeFileSync(path, JSON.stringify({ profiles }));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const env = { USER_EVENTS_CONFIG: path };

test.each([
  ['--profile', { profile: 'a' }, { USER_EVENTS_PROFILE: 'b' }, 'a'],
  ['USER_EVENTS_PROFILE', {}, { USER_EVENTS_PROFILE: 'b' }, 'b'],
  ['the profile named default', {}, {}, 'd'],
  ['the environment', { profile: 'a' }, { KAFKA_TOPIC: 'e' }, 'e'],
  ['a flag', { profile: 'a', topic: 'f' }, { KAFKA_TOPIC: 'e' }, 'f'],
])('the topic is decided by %s', (_, flags, more, topic) => {
  expect(loadConfig({ flags, env: { ...env, ...more }, usesServices: true }).topic).toBe(topic);
});

test('each of several profiles stands before the environment', () => {
  const both = ['a', 'b'].map((profile) =>
    loadConfig({ flags: {}, env: { ...env, KAFKA_TOPIC: 'e' }, profile, usesServices: true }),
  );
  expect(both.map(({ topic, schema }) => [topic, schema])).toEqual([
    ['a', 'user_events'],
    ['b', 'sb'],
  ]);
});

test('with profiles of which none is chosen their names are told, where the log or the database is used', () => {
  const named = join(folder, 'named.json');
  writeFileSync(named, JSON.stringify({ profiles: { orders: {}, billing: {} } }));
  const request = { flags: {}, env: { USER_EVENTS_CONFIG: named } };
  expect(() => loadConfig({ ...request, usesServices: true })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('orders, billing') }),
  );
  expect(loadConfig({ ...request, usesServices: false }).log.engine).toBe('embedded');
  const inEnvironment = { ...request.env, KAFKA_BROKERS: 'localhost:1', DATABASE_URL: 'postgres://h/d' };
  expect(loadConfig({ ...request, env: inEnvironment, usesServices: true }).log.engine).toBe('kafka');
});
