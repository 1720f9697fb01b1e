import { describe, expect, test } from '@jest/globals';
import { isDatabaseInEnvironment, parseDatabaseUrl } from '../../../src/config/database-address.ts';

const ORIGIN = { text: 'DATABASE_URL', level: 'environment', rank: 1 } as const;

test.each([
  ['postgres://u:p@h:1/d', 'h:1/d'],
  ['postgresql://u:p@h/d', 'h:5432/d'],
  ['postgres://ada@h', 'h:5432/ada'],
  ['postgres://[::1]:1/d', '[::1]:1/d'],
  ['postgres:///d?host=/var/run/postgresql', '/var/run/postgresql:5432/d'],
  ['postgres:///d', 'localhost:5432/d'],
  ['postgres://h/a%2Fb', 'h:5432/a/b'],
])('%s is at %s', (url, text) => {
  expect(parseDatabaseUrl(url, ORIGIN, {}).text).toBe(text);
});

describe('a URL that is none', () => {
  test.each(['mysql://h/d', 'h:5432', 'postgres://user name:secret@h:port/d', 'postgres://u:%zz@h/d%zz'])(
    '%s is CONFIG_INVALID, and nothing of it is said',
    (url) => {
      const read = (): unknown => parseDatabaseUrl(url, ORIGIN, {});
      expect(read).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
      expect(read).toThrow(/^DATABASE_URL /);
      expect(read).not.toThrow(/secret|%zz/);
    },
  );
});

test.each([
  [{ PGHOST: 'h' }, true],
  [{ PGPORT: '1' }, true],
  [{ PGHOST: '' }, false],
  [{ PGPASSWORD: 'x', PGAPPNAME: 'x' }, false],
])('%j configures a database: %s', (env, is) => {
  expect(isDatabaseInEnvironment(env)).toBe(is);
});
