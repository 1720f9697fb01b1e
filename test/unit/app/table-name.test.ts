import { expect, test } from '@jest/globals';
import { parseTableName } from '../../../src/app/init/choose-table.ts';

test.each([
  ['users', 'public', 'users'],
  ['app.Users', 'app', 'Users'],
  ['"my.app"."a ""b"""', 'my.app', 'a "b"'],
])('the table name %s is read', (text, schema, name) => {
  expect(parseTableName(text)).toEqual({ schema, name });
});

test.each(['', 'a.b.c', 'a.', '.a', '"a'])('the table name %j is USAGE', (text) => {
  expect(() => parseTableName(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
});
