import { RawJson } from '../domain/raw-json.ts';

/** The version of every JSON result's shape. Raised when a field changes its meaning or goes away. */
export const JSON_VERSION = 1;

/**
 * What JSON leaves as it is and a terminal acts on: DEL and the C1 controls, line separators, bidirectional controls.
 * They can only stand inside strings, where an escape means the same.
 */
const ACTED_ON = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Prints a value as one line of JSON, safe for a terminal. `bigint` (offsets) becomes a JSON number of all its digits,
 * as kcat and rpk print them; JSON.stringify cannot do that. A RawJson is taken as it is. Dates become ISO 8601,
 * `undefined` members are left out.
 */
export function toJson(value: unknown): string {
  return serialise(value).replace(
    ACTED_ON,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A command's result (an object) as one versioned line: `{"_command","_version",…its own fields}`. */
export function toResultJson(command: string, result: object): string {
  return toJson({ _command: command, _version: JSON_VERSION, ...result });
}

function serialise(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  // In a list, as JSON.stringify has it; members are left out before.
  if (value === undefined || value === null) return 'null';
  if (typeof value !== 'object') return JSON.stringify(value);
  if (value instanceof RawJson) return value.text;
  if (value instanceof Date) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(serialise).join(',')}]`;
  let members = '';
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    members += `${members === '' ? '' : ','}${JSON.stringify(name)}:${serialise(member)}`;
  }
  return `{${members}}`;
}
