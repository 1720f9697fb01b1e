import { endOfString } from './json-text.ts';

/**
 * A decimal of up to 15 significant digits and a small exponent always survives a double (IEEE 754: DBL_DIG is 15).
 * This finds what may be another: 16 digits and points in a row, or an exponent of three digits, where a number can
 * begin. It also finds some texts in strings, and long numbers that do survive: the exact check is for those.
 */
const SUSPICIOUS = /(?:[:,[\s]|^)-?\d(?:[\d.]{15}|[\d.]*[eE][-+]?\d{3})/;

/**
 * True where a number of a JSON text does not survive parsing and printing, as a number: 12345678901234567890 does not,
 * nor do 0.1234567890123456789 and 1e400; 1.0, 1e2 and -0 do. `text` is valid JSON.
 */
export function hasLossyNumber(text: string): boolean {
  if (!SUSPICIOUS.test(text)) return false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at) - 1;
    else if (isDigit(code)) {
      const end = endOfNumber(text, at);
      if (!survives(text.slice(at, end))) return true;
      at = end;
    }
  }
  return false;
}

/** A literal without its sign: parsing keeps the sign of every number but zero. */
function survives(literal: string): boolean {
  const printed = String(Number(literal));
  if (printed === literal) return true;
  const [written, kept] = [decimalOf(literal), decimalOf(printed)];
  return written !== null && kept !== null && written.digits === kept.digits && written.power === kept.power;
}

/** `digits` without zeros at either end, times ten to the `power`; zero is '' and 0. Null for what is not finite. */
function decimalOf(literal: string): { digits: string; power: number } | null {
  const parts = /^(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(literal);
  if (parts === null) return null;
  const [, whole = '', fraction = '', exponent = '0'] = parts;
  const all = whole + fraction;
  let from = 0;
  let to = all.length;
  while (from < to && all.charCodeAt(from) === ZERO) from += 1;
  while (to > from && all.charCodeAt(to - 1) === ZERO) to -= 1;
  const power = from === to ? 0 : Number(exponent) - fraction.length + (all.length - to);
  return { digits: all.slice(from, to), power };
}

function endOfNumber(text: string, start: number): number {
  let end = start + 1;
  while (end < text.length && isNumberPart(text.charCodeAt(end))) end += 1;
  return end;
}

function isNumberPart(code: number): boolean {
  return isDigit(code) || code === 0x2e || code === 0x2b || code === 0x2d || (code | 0x20) === 0x65;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= 0x39;
}

const QUOTE = 0x22;
const ZERO = 0x30;
