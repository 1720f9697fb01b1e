import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { endOfString, isNestedDeeper } from '../../../src/domain/json-text.ts';

/** The slow and plain way: recursion over the parsed value. */
function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

test('finds the end of any string, whatever it contains', () => {
  const text = fc.string({ unit: fc.constantFrom('"', '\\', 'a', '{', '😀') });
  fc.assert(
    fc.property(text, text, (before, after) => {
      const json = JSON.stringify([before, after]);
      expect(endOfString(json, 1)).toBe(1 + JSON.stringify(before).length);
    }),
  );
});

test('a string without an end ends with the text', () => {
  expect(endOfString('"abc\\"', 0)).toBe(6);
});

test('knows the depth of any JSON, brackets in strings not counted', () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 6, stringUnit: fc.constantFrom('{', '[', '"', '\\', ']') }),
      (value) => {
        // Padded, so that its length alone does not settle it.
        const json = ' '.repeat(40) + JSON.stringify(value);
        const depth = depthOf(value);
        expect(isNestedDeeper(json, depth)).toBe(false);
        if (depth > 0) expect(isNestedDeeper(json, depth - 1)).toBe(true);
      },
    ),
  );
});

test('500 levels are not deeper than 500, 501 are, in objects and in arrays', () => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    const nested = (levels: number): string => open.repeat(levels) + '1' + close.repeat(levels);
    expect(isNestedDeeper(nested(500), 500)).toBe(false);
    expect(isNestedDeeper(nested(501), 500)).toBe(true);
  }
});

test('many siblings are not depth', () => {
  expect(isNestedDeeper(JSON.stringify(Array.from({ length: 2000 }, () => ({}))), 500)).toBe(false);
});
