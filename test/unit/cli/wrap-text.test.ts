import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { displayWidth } from '../../../src/cli/text-width.ts';
import { wrapText } from '../../../src/cli/wrap-text.ts';

describe('wrapping text', () => {
  test.each<[string, number, string[]]>([
    ['short', 10, ['short']],
    ['', 10, ['']],
    ['one two three', 8, ['one two', 'three']],
    ['a longwordthatdoesnotfit', 10, ['a longword', 'thatdoesno', 'tfit']],
    ['漢字漢字漢字', 8, ['漢字漢字', '漢字']],
    ['one two three', 1, ['one two', 'three']],
  ])('breaks %j at %d columns', (text, columns, lines) => {
    expect(wrapText(text, columns)).toEqual(lines);
  });

  test('cuts what is beyond the last line', () => {
    expect(wrapText('one two three four five', 8, 2)).toEqual(['one two', 'three f…']);
  });

  test('loses nothing but blanks, and keeps to the width', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 8, max: 30 }), (text, columns) => {
        const lines = wrapText(text, columns);
        expect(lines.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
      }),
    );
  });
});
