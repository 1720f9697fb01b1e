/** A time that a text begins with. `length` is how much of the text it is. */
interface TimeRead {
  /** ms since the epoch (UTC), never negative: Kafka gives negative times a meaning of their own. */
  readonly timestamp: number;
  readonly isDuration: boolean;
  readonly length: number;
}

// Each ends where the text does or at a colon that begins something else, so that a regular expression settles
// which colons belong to the time.
const EPOCH = /^(?:\d{19}|\d{13}|\d{9,10})(?=:|$)/;
const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(Z|z|[-+]\d{2}(?::?\d{2})?)?)?(?=:|$)/;
const DURATION = /^([-+]?)((?:\d+(?:ms|[smhdw]))+)(?=:|$)/;

const UNIT_MS = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
  ['w', 604_800_000],
]);
/** The last moment that a JavaScript `Date` knows, far beyond what a log holds. */
const MAX_TIME = 8.64e15;

/**
 * Reads the time that `text` begins with, or null where it begins with none: 9 or 10 digits (s), 13 (ms) or 19 (ns) since
 * the epoch, ISO 8601 (a date alone, or with hours and minutes at least; UTC unless a zone is given), or a duration from
 * `baseMs`.
 */
export function readTime(text: string, baseMs: number): TimeRead | null {
  const epoch = EPOCH.exec(text);
  if (epoch !== null) {
    const [digits] = epoch;
    return timeRead(epochMs(digits), false, digits);
  }
  const iso = ISO.exec(text);
  if (iso !== null) return timeRead(isoTime(iso), false, iso[0]);
  const duration = DURATION.exec(text);
  if (duration === null) return null;
  const [whole, sign, parts = ''] = duration;
  return timeRead(baseMs + (sign === '-' ? -1 : 1) * durationMs(parts), true, whole);
}

/** By how many there are, as in kcl: what is between them could be two of them. */
function epochMs(digits: string): number {
  if (digits.length === 19) return Number(BigInt(digits) / 1_000_000n);
  return Number(digits) * (digits.length === 13 ? 1 : 1000);
}

function timeRead(time: number, isDuration: boolean, part: string): TimeRead | null {
  if (Number.isNaN(time) || time > MAX_TIME) return null;
  return { timestamp: Math.max(0, time), isDuration, length: part.length };
}

/** NaN where there is no such day or hour. Fractions of a millisecond are cut off. */
function isoTime(parts: RegExpExecArray): number {
  const [year = NaN, month = NaN, day = NaN, hour = 0, minute = 0, second = 0] = parts
    .slice(1, 7)
    .map((part: string | undefined) => (part === undefined ? undefined : Number(part)));
  const [, , , , , , , fraction = '', zone = 'Z'] = parts;
  const millisecond = Number(fraction.slice(0, 3).padEnd(3, '0'));
  const time = Date.UTC(year, month - 1, day, hour, minute, second, millisecond);
  const date = new Date(time);
  // Date.UTC carries 31 February over into March, and 24:61 into the next day.
  const isReal =
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day && date.getUTCFullYear() === year;
  return isReal && hour < 24 && minute < 60 && second < 60 ? time - zoneMs(zone) : NaN;
}

/** NaN for a zone beyond 23:59. */
function zoneMs(zone: string): number {
  if (zone.toUpperCase() === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3).replace(':', '') || '0')];
  return hours < 24 && minutes < 60 ? (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000 : NaN;
}

function durationMs(parts: string): number {
  let total = 0;
  for (const [, count, unit = ''] of parts.matchAll(/(\d+)(ms|[smhdw])/g)) {
    total += Number(count) * (UNIT_MS.get(unit) ?? NaN);
  }
  return total;
}
