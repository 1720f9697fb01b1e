import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hasLossyNumber } from '../../../src/domain/json-numbers.ts';

/** Exact: the literal as a fraction of integers. */
function fractionOf(literal: string): [bigint, bigint] {
  const [mantissa = '', exponent = '0'] = literal.toLowerCase().split('e');
  const [whole = '', decimals = ''] = mantissa.split('.');
  const power = BigInt(exponent) - BigInt(decimals.length);
  const digits = BigInt(whole + decimals);
  return power >= 0n ? [digits * 10n ** power, 1n] : [digits, 10n ** -power];
}

function survivesExactly(literal: string): boolean {
  const number = Number(literal);
  if (!Number.isFinite(number)) return false;
  const [a, b] = fractionOf(literal.replace(/^-/, ''));
  const [c, d] = fractionOf(String(Math.abs(number)));
  return a * d === c * b;
}

const digits = (max: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...Array.from('0123456789')), minLength: 1, maxLength: max });
const literals = fc
  .record({
    sign: fc.constantFrom('', '-'),
    whole: digits(22).map((text) => text.replace(/^0+(?=.)/, '')),
    fraction: fc.option(digits(22)),
    exponent: fc.option(fc.tuple(fc.constantFrom('e', 'E'), fc.constantFrom('', '+', '-'), digits(3))),
  })
  .map(({ sign, whole, fraction, exponent }) =>
    [sign, whole, fraction === null ? '' : `.${fraction}`, ...(exponent ?? [])].join(''),
  );
const wrappings = fc.constantFrom<(literal: string) => string>(
  (literal) => literal,
  (literal) => `[1,${literal}]`,
  (literal) => `{"a": ${literal}, "b":"\\"1${literal}"}`,
  (literal) => `{"a":[true,\n${literal}\n]}`,
);

test('agrees with exact arithmetic on any number, wherever it stands', () => {
  fc.assert(
    fc.property(literals, wrappings, (literal, wrap) => {
      const json = wrap(literal);
      expect(hasLossyNumber(json)).toBe(!survivesExactly(literal));
    }),
    { numRuns: 20_000 },
  );
});

test('every double that JSON.stringify prints survives', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
      expect(hasLossyNumber(JSON.stringify({ number }))).toBe(false);
    }),
    { numRuns: 5000 },
  );
});

test.each([
  '1.0',
  '1e2',
  '-0',
  '-0.0',
  '0e999',
  '9007199254740991',
  '1E+022',
  '100000000000000000000',
  '1.50000000000000000000',
])('%s survives', (literal) => {
  expect(hasLossyNumber(`{"n":${literal}}`)).toBe(false);
});

test.each([
  '12345678901234567890',
  '0.1234567890123456789',
  '9007199254740993',
  '1e400',
  '-1e-400',
  '1.00000000000000001',
])('%s does not survive', (literal) => {
  expect(hasLossyNumber(`{"n":${literal}}`)).toBe(true);
});

test('digits in strings are not numbers', () => {
  const json = JSON.stringify({
    '12345678901234567890': ', 12345678901234567890',
    a: '\\": 1e999',
    b: '[1e999',
  });
  expect(hasLossyNumber(json)).toBe(false);
});

test('a long row of zeros is checked in linear time', () => {
  const json = `{"n":1${'0'.repeat(200_000)}1}`;
  const started = performance.now();
  expect(hasLossyNumber(json)).toBe(true);
  expect(performance.now() - started).toBeLessThan(1000);
});
