import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseOffsetSpec, type OffsetPoint } from '../../../src/domain/offset-spec.ts';
import { UserEventsError } from '../../../src/errors/user-events-error.ts';

const NOW = Date.UTC(2026, 0, 31, 12);
const HOUR = 3_600_000;

const low = (plus: bigint): OffsetPoint => ({ at: 'low', plus });
const high = (minus: bigint): OffsetPoint => ({ at: 'high', minus });
const offset = (value: bigint): OffsetPoint => ({ at: 'offset', offset: value });
const time = (timestamp: number | string): OffsetPoint => ({
  at: 'time',
  timestamp: typeof timestamp === 'string' ? Date.parse(timestamp) : timestamp,
});

describe('offsets', () => {
  test.each<[string, OffsetPoint, OffsetPoint | null]>([
    ['start', low(0n), null],
    ['end', high(0n), null],
    ['47', offset(47n), null],
    ['0', offset(0n), null],
    ['007', offset(7n), null],
    ['9223372036854775807', offset(9223372036854775807n), null],
    ['47:', offset(47n), null],
    ['-10', high(10n), null],
    ['-0', high(0n), null],
    ['+10', low(10n), null],
    ['+10:', low(10n), null],
    ['100:200', offset(100n), offset(200n)],
    [':200', low(0n), offset(200n)],
    [':end', low(0n), high(0n)],
    ['100:end', offset(100n), high(0n)],
    ['-10:end', high(10n), high(0n)],
    ['+5:end', low(5n), high(0n)],
    ['+5:+7', low(5n), low(7n)],
    ['-10:-3', high(10n), high(3n)],
    ['+5:-3', low(5n), high(3n)],
    [':-3', low(0n), high(3n)],
    [':+3', low(0n), low(3n)],
    ['start:end', low(0n), high(0n)],
    ['start:', low(0n), null],
    ['end:', high(0n), null],
    ['oldest', low(0n), null],
    ['newest', high(0n), null],
    ['oldest:newest', low(0n), high(0n)],
    ['start+5', low(5n), null],
    ['end-5', high(5n), null],
    [':end-5', low(0n), high(5n)],
    ['start+5:end-3', low(5n), high(3n)],
  ])('%s', (text, from, to) => {
    expect(parseOffsetSpec(text, NOW)).toEqual({ from, to });
  });
});

describe('times', () => {
  test.each<[string, OffsetPoint, OffsetPoint | null]>([
    ['@1769860800', time(1769860800_000), null],
    ['@1769860800123', time(1769860800_123), null],
    ['@999999999', time(999999999_000), null],
    ['@1769860800123456789', time(1769860800_123), null],
    ['@1769860800:', time(1769860800_000), null],
    ['@1769860800:1769860801', time(1769860800_000), time(1769860801_000)],
    ['@2026-01-31', time('2026-01-31T00:00:00Z'), null],
    ['@2026-01-30:2026-01-31', time('2026-01-30T00:00:00Z'), time('2026-01-31T00:00:00Z')],
    ['@2026-01-31T08:00', time('2026-01-31T08:00:00Z'), null],
    ['@2026-01-31t08:00:10z', time('2026-01-31T08:00:10Z'), null],
    ['@2026-01-31T08:00:10,5Z', time('2026-01-31T08:00:10.500Z'), null],
    ['@2026-01-31 08:00', time('2026-01-31T08:00:00Z'), null],
    ['@2026-01-31T08:00:10', time('2026-01-31T08:00:10Z'), null],
    ['@2026-01-31T08:00:10Z', time('2026-01-31T08:00:10Z'), null],
    ['@2026-01-31T08:00:10.5Z', time('2026-01-31T08:00:10.500Z'), null],
    ['@2026-01-31T08:00:10.123456Z', time('2026-01-31T08:00:10.123Z'), null],
    ['@2026-01-31T08:00:10+02:00', time('2026-01-31T06:00:10Z'), null],
    ['@2026-01-31T08:00:10-0530', time('2026-01-31T13:30:10Z'), null],
    ['@2026-01-31T08:00+01', time('2026-01-31T07:00:00Z'), null],
    ['@2026-01-31T08:00:2026-01-31T09:00', time('2026-01-31T08:00:00Z'), time('2026-01-31T09:00:00Z')],
    ['@2026-01-31T08:00:10m', time('2026-01-31T08:00:00Z'), time('2026-01-31T08:10:00Z')],
    ['@2026-01-31T08:00:00Z:1h', time('2026-01-31T08:00:00Z'), time('2026-01-31T09:00:00Z')],
    ['@2026-01-31T08:00:00+02:00:end', time('2026-01-31T06:00:00Z'), high(0n)],
    ['@2026-01-30:1d', time('2026-01-30T00:00:00Z'), time('2026-01-31T00:00:00Z')],
    ['@2024-02-29', time('2024-02-29T00:00:00Z'), null],
    ['@-1h', time(NOW - HOUR), null],
    ['@-1h:', time(NOW - HOUR), null],
    ['@-1h:end', time(NOW - HOUR), high(0n)],
    ['@-48h:-24h', time(NOW - 48 * HOUR), time(NOW - 24 * HOUR)],
    ['@-1h30m', time(NOW - 1.5 * HOUR), null],
    ['@-250ms', time(NOW - 250), null],
    ['@-5s', time(NOW - 5000), null],
    ['@-1d', time(NOW - 24 * HOUR), null],
    ['@-2w', time(NOW - 336 * HOUR), null],
    ['@-1h:5m', time(NOW - HOUR), time(NOW + HOUR / 12)],
    ['@0s', time(NOW), null],
    ['@:-1h', low(0n), time(NOW - HOUR)],
    ['@:2026-01-31', low(0n), time('2026-01-31T00:00:00Z')],
    ['@:end', low(0n), high(0n)],
    ['@-2h:@-1h', time(NOW - 2 * HOUR), time(NOW - HOUR)],
    ['@2026-01-30:@2026-01-31', time('2026-01-30T00:00:00Z'), time('2026-01-31T00:00:00Z')],
    ['@2026-01-30T08:00:00Z:@1h', time('2026-01-30T08:00:00Z'), time('2026-01-30T09:00:00Z')],
    ['@1769860800:@1769860801', time(1769860800_000), time(1769860801_000)],
    ['@:@-1h', low(0n), time(NOW - HOUR)],
    ['@2026-01-31:-1h', time('2026-01-31T00:00:00Z'), time(NOW - HOUR)],
    ['@1960-01-01', time(0), null],
    ['@-99999w', time(0), null],
  ])('%s', (text, from, to) => {
    expect(parseOffsetSpec(text, NOW)).toEqual({ from, to });
  });
});

describe('what is refused', () => {
  test.each<[string, string]>([
    ['', '"" is not an offset'],
    [':', 'a range needs at least one end'],
    ['abc', '"abc" is not an offset'],
    ['+a', '"+a" is not an offset'],
    ['-', '"-" is not an offset'],
    ['1.5', '"1.5" is not an offset'],
    [' 5', '" 5" is not an offset'],
    ['5\n', '"5\n" is not an offset'],
    ['90:a', '"a" is not an offset'],
    ['1:2:3', '"2:3" is not an offset'],
    ['90-91', '"90-91" is not an offset'],
    ['9223372036854775808', 'larger than an offset can be'],
    ['90:39', 'it ends before it begins'],
    ['90:90', 'it ends before it begins'],
    ['-3:-10', 'it ends before it begins'],
    ['+7:+5', 'it ends before it begins'],
    ['end:end', 'it ends before it begins'],
    ['end:5', 'it ends before it begins'],
    [':start', 'it ends before it begins'],
    ['5:start', 'it ends before it begins'],
    ['-5:+0', 'it ends before it begins'],
    ['5:@-1h', '"@-1h" is not an offset'],
    ['@', 'does not begin with a time'],
    ['@end', 'does not begin with a time'],
    ['@start', 'does not begin with a time'],
    ['start-5', '"start-5" is not an offset'],
    ['end+5', '"end+5" is not an offset'],
    ['start5', '"start5" is not an offset'],
    ['@12345678', 'does not begin with a time'],
    ['@12345678901', 'does not begin with a time'],
    ['@@-1h', '"@-1h" does not begin with a time'],
    ['@-2h:@@-1h', '"@-1h" is not a time'],
    ['@-2h:@', '"" is not a time'],
    ['@-2h:@end', '"end" is not a time'],
    ['@-1y', 'does not begin with a time'],
    ['@-h', 'does not begin with a time'],
    ['@2026-13-01', 'does not begin with a time'],
    ['@2026-02-29', 'does not begin with a time'],
    ['@2026-01-31T24:00', 'does not begin with a time'],
    ['@2026-01-31T08:60', 'does not begin with a time'],
    ['@2026-01-31T08:00:60', 'does not begin with a time'],
    ['@2026-01-31T08:00:00+24:00', 'does not begin with a time'],
    ['@2026-01-31T08', 'does not begin with a time'],
    ['@2026-1-31', 'does not begin with a time'],
    ['@1h', 'it begins in the future'],
    ['@-1h:abc', '"abc" is not a time'],
    ['@-1h:end:', '"end:" is not a time'],
    ['@-1h:-30m:', '"-30m:" is not a time'],
    ['@:', '"" is not a time'],
    ['@-1h:-2h', 'it ends before it begins'],
    ['@2026-01-31:2026-01-30', 'it ends before it begins'],
    ['@2026-01-31T11:00:00Z:-2h', 'it ends before it begins'],
  ])('%j', (text, fault) => {
    const parse = () => parseOffsetSpec(text, NOW);
    expect(parse).toThrow(UserEventsError);
    expect(parse).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(fault) }),
    );
    expect(parse).toThrow(expect.objectContaining({ hint: expect.stringContaining('@-1h') }));
  });

  test('any other text is USAGE too, and nothing else', () => {
    const texts = fc.string({ unit: fc.constantFrom(...Array.from('@:-+0123456789startendhmsTZ. ')) });
    fc.assert(
      fc.property(texts, (text) => {
        try {
          parseOffsetSpec(text, NOW);
        } catch (error) {
          expect(error).toMatchObject({ name: 'UserEventsError', code: 'USAGE' });
        }
      }),
      { numRuns: 3000 },
    );
  });
});

test('a time as Date prints it is that time, alone and at both ends of a range', () => {
  const times = fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true });
  fc.assert(
    fc.property(times, times, (a, b) => {
      fc.pre(a < b);
      expect(parseOffsetSpec(`@${a.toISOString()}:${b.toISOString()}`, NOW)).toEqual({
        from: time(a.getTime()),
        to: time(b.getTime()),
      });
    }),
  );
});
