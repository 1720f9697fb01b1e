import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isPlainlyCompact } from '../../../src/domain/compact-json.ts';
import { parseJsonObjectText } from '../../../src/domain/parse-json.ts';
import { Unreadable } from '../../../src/domain/unreadable.ts';

/** Asked as the printer asks: of a text that begins with its user id, and of what reading has made of it. */
function isPlain(text: string): boolean {
  const object = parseJsonObjectText(text);
  if (object instanceof Unreadable) return false;
  const { userId: _, ...fields } = object;
  return isPlainlyCompact(text, fields);
}

function printed(text: string): string {
  return JSON.stringify(JSON.parse(text));
}

/** Pieces of which JSON is made, the awkward ones among them. */
const piece = fc.oneof(
  fc.constantFrom('"a":', '"b":', '"1":', '"01":', '"__proto__":', '"userId":', '"e":', '":":'),
  fc.constantFrom('1', '-1', '-0', '0', '1.0', '1.5', '1e5', '1E5', '123456789012345', '1234567890123456'),
  fc.constantFrom('"x"', '"\\n"', '"\\u0041"', '"\\u2028"', '"\u2028"', '"é"', '"1"', '","', '"a":1'),
  fc.constantFrom('{', '}', '[', ']', ',', ',', ' ', '\n', 'null', 'true', '{}', '[]', '[1,{"a":[]}]'),
);

describe('isPlainlyCompact', () => {
  test('is true of nothing but what JSON.stringify prints', () => {
    const texts = fc.oneof(
      fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
      fc.array(fc.tuple(piece, piece, fc.constantFrom(',', ', ')), { maxLength: 4 }).map((members) =>
        members
          .map(([name, value, comma]) => name + value + comma)
          .join('')
          .replace(/, ?$/, ''),
      ),
      fc.json({ maxDepth: 3 }).map((json) => `"a":${json}`),
    );
    let plain = 0;
    fc.assert(
      fc.property(texts, (text) => {
        for (const json of [`{"userId":"u1",${text}}`, `{"userId":"u1"${text}}`]) {
          if (!isPlain(json)) continue;
          plain += 1;
          expect(printed(json)).toBe(json);
        }
      }),
      { numRuns: 20_000 },
    );
    expect(plain).toBeGreaterThan(500);
  });

  test('is true of what we publish', () => {
    expect(isPlain('{"userId":"u1"}')).toBe(true);
    expect(
      isPlain('{"userId":"u1","name":"Ada Lovelace","seats":12,"is":null,"more":{"a":[1,{"b":true}]}}'),
    ).toBe(true);
  });

  test.each([
    ['a name twice', '{"userId":"u1","a":1,"a":2}'],
    ['a name twice, the user id', '{"userId":"u1","userId":"u1"}'],
    ['white space', '{"userId":"u1", "a":1}'],
    ['an escape', '{"userId":"u1","a":"\\u0041"}'],
    ['a number written otherwise', '{"userId":"u1","a":1e2}'],
    ['a fraction written otherwise', '{"userId":"u1","a":1.0}'],
    ['a zero with a sign', '{"userId":"u1","a":-0}'],
    ['names that an object reorders', '{"userId":"u1","b":1,"1":2}'],
  ])('is false of %s', (_, text) => {
    expect(parseJsonObjectText(text)).not.toBeInstanceOf(Unreadable);
    expect(isPlain(text)).toBe(false);
    expect(printed(text)).not.toBe(text);
  });
});
