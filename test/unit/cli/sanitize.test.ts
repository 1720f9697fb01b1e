import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { visible } from '../../../src/cli/sanitize.ts';

test.each([
  ['plain text, 漢字 and 👩‍👩‍👧', 'plain text, 漢字 and 👩‍👩‍👧'],
  ['\u001b[31mred\u001b[0m', '\\x1b[31mred\\x1b[0m'],
  ['two\nlines\r\tand a tab', 'two\\nlines\\r\\tand a tab'],
  ['\u0000\u0007\u007f\u009b', '\\x00\\x07\\x7f\\x9b'],
  ['turned \u202eround', 'turned \\u202eround'],
  ['zero\u200bwidth', 'zero\\u200bwidth'],
  ['half \ud83d of a pair', 'half \\ud83d of a pair'],
])('%j is shown as %j', (text, shown) => {
  expect(visible(text)).toBe(shown);
});

test('no control character of any text survives', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(visible(text)).not.toMatch(/[\p{Cc}\u2028-\u202e\u2066-\u2069]/u);
    }),
  );
});
