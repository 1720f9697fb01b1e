import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cutText, displayWidth, padText } from '../../../src/cli/text-width.ts';

test.each([
  ['abc', 3],
  ['漢字', 4],
  ['🫠', 2],
  ['👩‍👩‍👧', 2],
  ['e\u0301', 1],
  ['', 0],
])('%j takes %i columns', (text, columns) => {
  expect(displayWidth(text)).toBe(columns);
});

test.each([
  ['abcdef', 6, 'abcdef'],
  ['abcdef', 5, 'abcd…'],
  ['漢字漢字', 8, '漢字漢字'],
  ['漢字漢字', 7, '漢字漢…'],
  ['漢字漢字', 6, '漢字…'],
  ['👩‍👩‍👧👩‍👩‍👧', 3, '👩‍👩‍👧…'],
  ['abc', 1, '…'],
  ['abc', 0, ''],
])('%j cut to %i columns is %j', (text, columns, cut) => {
  expect(cutText(text, columns)).toBe(cut);
});

test('text is padded by the columns that it takes', () => {
  expect(padText('漢', 4)).toBe('漢  ');
  expect(padText('12', 4, 'right')).toBe('  12');
  expect(padText('long', 2)).toBe('long');
});

test('cut and padded text takes exactly the columns given', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 20 }), (text, columns) => {
      expect(displayWidth(padText(cutText(text, columns), columns))).toBe(columns);
    }),
  );
});
