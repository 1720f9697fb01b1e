import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeUtf8, hasLoneSurrogate } from '../../../src/domain/utf8.ts';

test('decodes exactly the bytes that the strict decoder of the platform takes, to the same text', () => {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc.string({ unit: 'binary' }).map((text) => new Uint8Array(Buffer.from(text))),
    // Close to valid: a replacement character, half of a surrogate pair, an overlong form, a cut-off sequence.
    fc
      .constantFrom('efbfbd', 'eda080', 'c080', 'f09f98', 'efbfbdff', 'efbbbf61')
      .map((hex) => Buffer.from(hex, 'hex')),
  );
  fc.assert(
    fc.property(bytes, (input) => {
      let expected: string | null;
      try {
        expected = strict.decode(input);
      } catch {
        expected = null;
      }
      expect(decodeUtf8(Buffer.from(input))).toBe(expected);
    }),
    { numRuns: 2000 },
  );
});

test('a lone surrogate is found, a pair is none', () => {
  expect(hasLoneSurrogate('a😀b')).toBe(false);
  for (const text of ['\ud83d', '\ude00', 'a\ud83db', '\ude00\ud83d'])
    expect(hasLoneSurrogate(text)).toBe(true);
});
