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
  expect(loadConfig({ flags, env: { ...env, ...more } }).topic).toBe(topic);
});

test('each of several profiles stands before the environment', () => {
  const both = ['a', 'b'].map((profile) =>
    loadConfig({ flags: {}, env: { ...env, KAFKA_TOPIC: 'e' }, profile }),
  );
  expect(both.map(({ topic, schema }) => [topic, schema])).toEqual([
    ['a', 'user_events'],
    ['b', 'sb'],
  ]);
});
