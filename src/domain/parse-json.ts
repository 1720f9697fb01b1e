import type { JsonObject, JsonValue } from './event.ts';
import { hasLossyNumber } from './json-numbers.ts';
import { isNestedDeeper } from './json-text.ts';
import { Unreadable } from './unreadable.ts';
import { decodeUtf8, hasLoneSurrogate } from './utf8.ts';

/** Levels of objects and arrays. Below what PostgreSQL's and other parsers' stacks can take. */
export const MAX_JSON_DEPTH = 500;

/**
 * The JSON object that a record's value is, or why it is none that can be kept as it was written: not UTF-8, not JSON,
 * not an object, nested deeper than 500, a number or a string that does not survive. Of a name given twice the last
 * counts.
 */
export function parseJsonObject(bytes: Buffer): JsonObject | Unreadable {
  const text = decodeUtf8(bytes);
  return text === null ? new Unreadable('the value is not UTF-8') : parseJsonObjectText(text);
}

/** The same of a text. */
export function parseJsonObjectText(text: string): JsonObject | Unreadable {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's own message quotes the value, and so the user's data.
    return new Unreadable('the value is not JSON');
  }
  if (!isJsonObject(parsed)) return new Unreadable('the value is not a JSON object');
  if (isNestedDeeper(text, MAX_JSON_DEPTH)) {
    return new Unreadable(`the value is nested deeper than ${String(MAX_JSON_DEPTH)} levels`);
  }
  if (hasLossyNumber(text))
    return new Unreadable('the value has a number that would be changed by parsing it');
  // Half a surrogate pair can only come from an escape. PostgreSQL has no such text, the driver would replace it.
  if (text.includes('\\u') && hasLoneSurrogateInside(parsed)) {
    return new Unreadable('the value has a string with half of a surrogate pair');
  }
  return parsed;
}

/** True for a JSON object: neither null nor an array. Says nothing of values that JSON cannot have. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Recursive: the depth is known to be within the limit. */
function hasLoneSurrogateInside(value: JsonValue): boolean {
  if (typeof value === 'string') return hasLoneSurrogate(value);
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasLoneSurrogateInside);
  return Object.entries(value).some(
    ([name, inner]) => hasLoneSurrogate(name) || hasLoneSurrogateInside(inner),
  );
}
