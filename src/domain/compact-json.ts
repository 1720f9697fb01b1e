import type { JsonObject, JsonValue } from './event.ts';
import { hasLossyNumber } from './json-numbers.ts';
import { isNestedDeeper } from './json-text.ts';
import { MAX_JSON_DEPTH } from './parse-json.ts';

/** JSON as JSON.stringify prints it, or null where the text is no JSON that survives inside a line. */
export function compactJson(text: string): string | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  // The line around the value is one level more. A null would be taken for a null value.
  if (parsed === null || isNestedDeeper(text, MAX_JSON_DEPTH - 1) || hasLossyNumber(text)) return null;
  const compact = JSON.stringify(parsed);
  // JSON.stringify escapes halves of surrogate pairs alone. An escaped backslash before `ud…` is taken for one: no harm.
  return text.includes('\\u') && /\\ud[89a-f]/.test(compact) ? null : compact;
}

/**
 * True where `text`, the JSON object that `object` was parsed from without its member `userId`, is known to be just what
 * JSON.stringify prints, without printing it: that takes three times as long. False says nothing. Told by what could
 * differ: white space, escapes, numbers but short integers, names given twice, names that objects reorder.
 */
export function isPlainlyCompact(text: string, object: JsonObject): boolean {
  if (text.includes('\\') || isNestedDeeper(text, MAX_JSON_DEPTH - 1)) return false;
  let members = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      // Integers as names come first in an object, wherever they were written.
      if (isDigit(text.charCodeAt(at + 1)) && isName(text, at)) return false;
      at = text.indexOf('"', at + 1);
    } else if (code === COLON) members += 1;
    else if (code <= SPACE || code === POINT || code === MINUS) return false;
    else if (isDigit(code)) {
      // Without an exponent or a fraction, and short enough, an integer is printed as it was written.
      const end = endOfInteger(text, at);
      if (end === -1) return false;
      at = end - 1;
    }
  }
  return members === 1 + countMembers(object);
}

/** The index behind the digits, or -1 where the number is more than 15 digits. */
function endOfInteger(text: string, start: number): number {
  let end = start + 1;
  while (isDigit(text.charCodeAt(end))) end += 1;
  const isExponent = (text.charCodeAt(end) | 0x20) === 0x65;
  return isExponent || end - start > 15 ? -1 : end;
}

function isName(text: string, open: number): boolean {
  return text.charCodeAt(text.indexOf('"', open + 1) + 1) === COLON;
}

/** Of the object and all within it. */
function countMembers(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const inner of value) members += countMembers(inner);
    return members;
  }
  for (const name of Object.keys(value)) members += 1 + countMembers(value[name] ?? null);
  return members;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

const SPACE = 0x20;
const QUOTE = 0x22;
const MINUS = 0x2d;
const POINT = 0x2e;
const COLON = 0x3a;
